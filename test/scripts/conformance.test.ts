import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cases, judge } from '../../scripts/conformance/judge.ts'
import { readContract } from '../../scripts/conformance/contract.ts'
import { CannotRun } from '../../scripts/conformance/people.ts'
import type { RuleVerdict } from '../../scripts/conformance/report.ts'
import { rules } from '../../scripts/conformance/rules.ts'
import { root } from '../../scripts/root.ts'
import { freePort } from '../../scripts/service.ts'
import { errorTable } from '../../src/errors.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { startAlteringProxy } from './altering-proxy.ts'
import { dropsRef, mutations } from './mutations.ts'
import type { Judged, Runs } from './mutated-runs.ts'
import { conformance } from './run.ts'

/** Milliseconds that one answer may take on a machine that is busy with other tests. */
const DEADLINE = 30_000
const slow = ['--deadline', String(DEADLINE)]

// The caps are low, so that the cases that fill them make few channels.
const server = await startServer(t, {
  config: {
    server: { trust_proxy: 'true' },
    authentication: { guests: true, refresh_window: 0 },
    channels: { max_channels_per_user: 20, max_created_per_user: 30 },
    limits: { connection_signals: 3 },
    log: { level: 'silent' }
  }
})
const admin = await server.register('admin')
await server.database.prisma.user.update({ where: { id: admin.user.id }, data: { role: 'admin' } })
const folder = mkdtempSync(join(tmpdir(), 'parley-conformance-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

t.test('every rule of the protocol page has a row in the report, and either a case or a reason why it is not seen', async t => {
  const numbered = Object.keys(rules).filter(rule => /^P\d+$/.test(rule))
  t.strictSame(numbered.toSorted(), readContract().rules.toSorted())
  const judged = new Set(cases.map(({ rule }) => rule))
  for (const rule of numbered) t.not(judged.has(rule), rules[rule]!.unseen !== undefined, rule)
  t.strictSame([...judged].filter(rule => !rules[rule]), [])
})

t.test('the tables of the protocol page are read whole', async t => {
  const { errors, closes, replies, notices } = readContract()
  for (const [code, { status }] of Object.entries(errorTable)) t.equal(errors.get(code)?.status ?? status, status, code)
  t.equal(closes.get(4501), 'protocol violation')
  t.strictSame(replies.get('channel_joined')?.slice(0, 4), ['channel', 'channel_id', 'channel_type', 'seq'])
  t.strictSame(replies.get('message_sent'), ['channel', 'id', 'seq', 'timestamp'])
  t.strictSame(replies.get('user_list'), ['type', 'channel', 'users', 'count', 'next_cursor'])
  t.strictSame(notices.get('message'), ['id', 'seq', 'channel', 'user_id', 'username', 'message', 'timestamp'])
  t.strictSame(notices.get('direct_opened'), ['channel', 'timestamp'])
})

const file = join(folder, 'passed.json')
const passing = conformance(server.origin, ...slow, '--admin-token', admin.access_token, '--json', file)
const tokens = (await Promise.all(['ann', 'ben', 'cyd'].map(name => server.register(name)))).map(person => person.access_token)
const breaking = startAlteringProxy(t, server.port, '10.0.1.1', dropsRef.begin())
  .then(port => conformance(`ws://127.0.0.1:${port}/`, ...tokens.flatMap(token => ['--token', token]), ...slow))

t.test('this server passes whole: the command exits with 0, and its file and its text say so', async t => {
  const { code, stdout, stderr } = await passing
  const report = JSON.parse(readFileSync(file, 'utf8')) as { rules: RuleVerdict[], left: string[] }
  const others = report.rules.filter(({ rule, verdict }) => verdict !== (rules[rule]?.unseen === undefined ? 'passed' : 'not seen'))
  t.strictSame([others, report.left, stderr, code], [[], [], '', 0])
  t.match(stdout, /^\[P27\] +passed +order of messages$/m)
  t.match(stdout, /^\[P33\] +not seen +the bus is down: it takes several instances/m)
})

t.test('a server that breaks a rule makes the command exit with 1 and say what was expected and what came', async t => {
  const { code, stdout } = await breaking
  t.equal(code, 1)
  t.match(stdout, /^\[P8\] .*failed .*\n +case: .*\n +expected: the ref on the reply .*"a"\n +came: +nothing$/m)
  t.match(stdout, /^\d+ passed, 1 failed, \d+ not offered, \d+ not seen$/m)
})

t.test('accounts and channels of a run are deleted at its end', async t => {
  const { user, channel } = server.database.prisma
  t.equal(await user.count({ where: { email: { endsWith: '@conformance.invalid' } } }), 0)
  t.equal(await channel.count({ where: { name: { startsWith: 'conform-' } } }), 0)
})

t.test('a server that cannot be judged makes the command exit with 2 and one line', async t => {
  const wrong: Array<[RegExp, ...string[]]> = [
    [/^parley: one URL is needed; usage: npm run conformance .*\n$/],
    [/^parley: Unknown option '--nonsense'.*; usage: .*\n$/, 'ws://127.0.0.1:1', '--nonsense'],
    [/^parley: --deadline is 1 … 600000 milliseconds; usage: .*\n$/, 'ws://x', '--deadline', '0'],
    [/^parley: http:\/\/127.0.0.1:\d+ cannot be judged: .*ECONNREFUSED.*\n$/, `ws://127.0.0.1:${await freePort()}`]
  ]
  for (const [line, ...args] of wrong) t.match(await conformance(...args), { code: 2, stdout: '', stderr: line })

  const options = { url: server.origin, tokens, adminToken: undefined, deadline: DEADLINE, concurrency: 1 }
  await t.rejects(judge({ ...options, url: 'ftp://x' }), new CannotRun('ftp://x is no ws://, wss://, http:// or https:// URL'))
  const oneToken = judge({ ...options, tokens: tokens.slice(0, 1) })
  await t.rejects(oneToken, new CannotRun('--token has to be given at least twice, for different users'))
  const nonsense = judge({ ...options, adminToken: 'nonsense' })
  await t.rejects(nonsense, new CannotRun('GET /api/me answered 401 with the token of --admin-token'))
})

t.test('each mutation of the server fails exactly the rule that it breaks', async t => {
  // These users' passwords need no hashing, unlike those of users whom the judge registers.
  const register = async (): Promise<string> => (await server.register('user')).access_token
  const three = (): Promise<string[]> => Promise.all([register(), register(), register()])
  const [plainTokens, ...mutated] = await Promise.all([three(), ...mutations.map(three)])
  const judged = new Map<string, Judged>()
  const child = fork(join(root, 'dist/test/scripts/mutated-runs.js'))
  t.teardown(() => child.kill('SIGKILL'))
  child.on('message', (outcome: Judged) => { judged.set(outcome.does, outcome) })
  child.send({ port: server.port, tokens: mutated, plainTokens, deadline: DEADLINE } satisfies Runs)
  const [code] = await once(child, 'exit')
  t.equal(code, 0)
  for (const { does, breaks } of mutations) {
    const failed = judged.get(does)?.failed
    t.strictSame(failed?.map(({ rule }) => rule).sort(), breaks, does, { failed })
  }
})
