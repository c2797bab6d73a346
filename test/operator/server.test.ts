import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { askOwner } from '../../src/operator/client.ts'
import { lockDirectory } from '../../src/store/lock.ts'
import { readMigrations } from '../../src/store/migrate.ts'
import { eventually } from '../eventually.ts'
import { age, summary } from '../scripts/pruned.ts'
import { database, prune as script } from '../scripts/run.ts'
import { t } from '../tap.ts'
import { createOperator, startOperated } from './operated.ts'

// All tests share this server.
const { server, operator, directory, lines } = await startOperated(t)

/** Stores old messages in a new channel of one member. */
async function talk (channel: string, count: number) {
  const { database } = server
  const ann = await server.enter('ann', channel)
  const { id } = await database.prisma.channel.findUniqueOrThrow({ where: { name: channel } })
  await database.query(`INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT $1, n, gen_random_uuid(), $2, 'old', now() FROM generate_series(1, $3::int) n`, [id, ann.person.user.id, count])
  await database.query('UPDATE "Channel" SET "lastSeq" = $2 WHERE id = $1', [id, count])
  await age(database, id, count)
  return { ann, stored: () => database.prisma.message.count({ where: { channelId: id } }) }
}

/** Sends a text to the socket of a data directory. Resolves with all that is answered until the connection closes. */
async function exchange (directory: string, text: string): Promise<string> {
  const socket = connect(join(directory, 'parley.sock'))
  let answer = ''
  socket.on('data', chunk => { answer += chunk })
  socket.write(text)
  await closed(socket)
  return answer
}

/** Resolves when the socket has closed, in order or by an error. */
function closed (socket: Socket): Promise<void> {
  return new Promise(resolve => socket.on('error', () => {}).on('close', () => resolve()))
}

/** Removes what is older than 90 days, as `npm run prune` does. @returns the summary. */
async function prune (): Promise<string> {
  let printed = ''
  await askOwner(directory, { command: 'prune', args: ['--older-than', '90d'] }, text => { printed += text })
  return printed
}

t.test('[P27] npm run prune works while the server has the embedded database open and users send', async t => {
  const { ann, stored } = await talk('busy', 500)
  const logged = lines.length
  const pruned = prune()
  let pruning = true
  pruned.then(() => { pruning = false })
  const acked: number[] = []
  while (pruning) acked.push((await ann.request({ type: 'send_message', channel: 'busy', message: 'new' })).data.seq)
  t.match(await pruned, summary('removed', 500, 0, 0, 0))
  t.ok(acked.length > 3)
  t.same(acked, acked.map((_, i) => 501 + i))
  t.equal(await stored(), acked.length)
  t.match(lines.slice(logged).map(line => JSON.parse(line)), [{ msg: 'running a command of the operator', command: 'prune' }])
})

t.test('npm run db:status and db:migrate ask the server that has the embedded database open', async t => {
  const env = { PARLEY_DATA_DIR: directory }
  t.same(await database(env, 'status'), { code: 0, stdout: 'up to date\n', stderr: '' })
  t.match(await database(env, 'migrate'), { code: 0, stdout: /^up to date\nnothing to apply: a server has this database open/, stderr: '' })
  const { name } = readMigrations().at(-1)!
  const rollBack = (at: string) =>
    server.database.query(`UPDATE _prisma_migrations SET rolled_back_at = ${at} WHERE migration_name = $1`, [name])
  await rollBack('now()')
  t.teardown(() => rollBack('NULL'))
  const what = 'the database is new or old: start the server anew'
  t.match(await database(env, 'migrate'), { code: 1, stdout: `pending  ${name}\n`, stderr: `parley: ${what}` })
  let printed = ''
  await t.rejects(askOwner(directory, { command: 'status', args: [] }, text => { printed += text }), { message: what })
  t.equal(printed, `pending  ${name}\n`)
})

t.test('a request that is no command of this release is refused, and so is one that is too long', async t => {
  const unknown = { failure: 'the running server does not understand this command: is it of another release?' }
  for (const text of ['nonsense', '{}', '{"command":"eval","args":[]}', '{"command":"admin","args":[1]}']) {
    t.same(JSON.parse(await exchange(directory, `${text}\n`)), unknown, text)
  }
  t.match(JSON.parse(await exchange(directory, '{"command":"admin","args":["fire"]}\n')), { failure: /^usage: / })
  t.equal(await exchange(directory, 'x'.repeat(200_000)), '')
  const asked = await askOwner(directory, { command: 'admin', args: ['list'] }, () => {})
  t.ok(asked, 'other requests are served as before')
})

t.test('only a few connections are open at a time, and the end of the server closes them', async t => {
  const folder = join(directory, 'own')
  mkdirSync(folder)
  const { operator } = createOperator(t, server.database)
  const unlock = await lockDirectory(folder, operator.accept)
  const sockets: Socket[] = []
  for (let i = 0; i < 4; i++) {
    const socket = connect(join(folder, 'parley.sock'))
    socket.resume()
    await once(socket, 'connect')
    sockets.push(socket)
  }
  await t.rejects(askOwner(folder, { command: 'admin', args: ['list'] }, () => {}), /takes no commands now/)
  const [first, ...others] = sockets
  first!.destroy()
  await eventually(() => askOwner(folder, { command: 'admin', args: ['list'] }, () => {}).catch(() => false))
  const ends = others.map(closed)
  await operator.close()
  await Promise.all(ends)
  await t.rejects(askOwner(folder, { command: 'admin', args: ['list'] }, () => {}), /takes no commands now/)
  await unlock()
})

t.test('a connection that asks nothing is closed', async t => {
  t.equal(await exchange(directory, '{"command":'), '{"failure":"The operation was aborted due to timeout"}\n')
})

t.test('a command ends between two statements when the person interrupts it', async t => {
  const { stored } = await talk('interrupted', 2000)
  const socket = connect(join(directory, 'parley.sock'))
  socket.write('{"command":"prune","args":["--older-than","90d"]}\n')
  await eventually(async () => await stored() < 2000)
  socket.destroy()
  // Until the script has started, the command would remove all the others.
  const { stdout } = await script({ PARLEY_DATA_DIR: directory }, '--older-than', '90d')
  t.ok(Number(/: (\d+) messages/.exec(stdout)![1]) > 500, 'most messages were left')
})

t.test('a socket whose path is longer than the system allows is found as well', async t => {
  const folder = join(t.testdir(), 'x'.repeat(120))
  const ask = () => askOwner(folder, { command: 'admin', args: ['list'] }, () => {})
  t.equal(await ask(), false, 'there is no such directory')
  mkdirSync(folder)
  t.equal(await ask(), false, 'no process has it open')
  const unlock = await lockDirectory(folder, operator.accept)
  t.equal(await ask(), true)
  await unlock()
})
