import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fastestFolder } from '../../scripts/services.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { npm, pack } from './npm.ts'

// In memory, where there is room: the installed packages are 150 MB.
const folder = mkdtempSync(join(fastestFolder(), 'parley-packages-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const project = join(folder, 'project')
mkdirSync(project, { recursive: true })
writeFileSync(join(project, 'package.json'), '{ "private": true }')
npm(project, 'install', '--ignore-scripts', pack(folder))
const admin = { ADMIN_EMAIL: 'ann@example.org', ADMIN_PASSWORD: 'correct horse' }
const { PATH, HOME } = process.env
const env = { PATH, HOME, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn', LIMITS_EVENT_LOOP_DELAY: '0', ...admin }

/** Runs a program in the project. It is the head of a process group, because npx does not hand on signals. */
function run (program: string, ...args: string[]) {
  const child = spawn(program, args, { cwd: project, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const running = { output: '', exited: once(child, 'close'), end: (signal: NodeJS.Signals) => process.kill(-child.pid!, signal) }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { running.output += chunk })
  return running
}

/** Runs what `npx parley` runs. npx itself would take most of a CPU second each time. */
const parley = (...args: string[]) => run(join(project, 'node_modules/.bin/parley'), ...args)

t.test('npx parley starts the installed server on the embedded database, and its commands work', async t => {
  const server = run('npx', '--no-install', 'parley')
  await eventually(() => /listening on (\S+)/.test(server.output), 60_000).catch(() => t.fail(server.output))
  const [, url] = /listening on (\S+)/.exec(server.output) ?? []
  t.same(await (await fetch(`${url}/readyz`)).json(), { status: 'ready', database: 'up', bus: 'up' })
  const smoke = parley('smoke', url!)
  await smoke.exited
  t.match(smoke.output, /All is well/)
  const backup = parley('backup', join(folder, 'backup.gz'))
  await backup.exited
  t.match(backup.output, /^wrote \d+ rows to /, 'while the server runs')
  server.end('SIGTERM')
  await server.exited
  t.same(readdirSync(project).sort(), ['data', 'node_modules', 'package-lock.json', 'package.json'])

  const list = parley('admin', 'list')
  await list.exited
  t.match(list.output, /^ann@example\.org {2}admin/)
  const wrong = parley('serve')
  t.same(await wrong.exited, [1, null])
  t.equal(wrong.output, 'parley: unknown command serve; known are start, admin, backup, config, copy, database, prune, restore, smoke\n')
})
