import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { createDatabase, secret } from '../helper.ts'
import { t, type Test } from '../tap.ts'
import { buildImage, type Stage } from './image.ts'

// Not part of the suite, because it compiles everything. Run it with `npm test -- test/deploy/dockerfile.ts`.
t.setTimeout(300_000)

/** The image, built without Docker: the Dockerfile's steps run in folders. Its command runs as a user other than root. */
const image = buildImage(t.testdir({}))
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

function settings ({ env }: Stage, more: Record<string, string>): Record<string, string> {
  return { PATH: process.env.PATH!, ...env, JWT_SECRET: secret, LOG_LEVEL: 'warn', ...more }
}

async function freePort (): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return String(port)
}

/** Starts the command of CMD, as a container would, and waits until it listens. */
async function start (t: Test, more: Record<string, string>) {
  const env = settings(image, { PORT: await freePort(), HOST: '127.0.0.1', ...more })
  const command = JSON.parse(image.said.CMD!) as string[]
  const child = spawn('env', ['NODE_OPTIONS=', ...command], { cwd: image.cwd, env, ...nobody, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'close')
  t.teardown(() => { child.kill('SIGKILL') })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { output += chunk })
  const healthy = async () => (await run(env, ...check())).code === 0
  await eventually(() => output.includes('listening on') || child.exitCode !== null, 60_000)
  t.match(output, 'listening on')
  t.ok(await healthy(), 'HEALTHCHECK succeeds')
  return {
    env,
    healthy,
    async stop (): Promise<void> {
      child.kill(image.said.STOPSIGNAL as NodeJS.Signals)
      t.same(await exited, [0, null], 'STOPSIGNAL ends the server with exit code 0')
    }
  }
}

/** The command of HEALTHCHECK. */
function check (): string[] {
  return JSON.parse(image.said.HEALTHCHECK!.replace(/^.*?CMD /, ''))
}

function run (env: Record<string, string>, ...command: string[]) {
  return new Promise<{ code: number, output: string }>(resolve => {
    execFile('env', ['NODE_OPTIONS=', ...command], { cwd: image.cwd, env, ...nobody }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }))
  })
}

const script = (env: Record<string, string>, name: string, ...args: string[]) => run(env, 'node', `dist/scripts/${name}.js`, ...args)

t.test('the image contains what the server needs, and no development packages', async t => {
  t.same(readdirSync(image.cwd).sort(), ['config', 'dist', 'node_modules', 'package.json', 'prisma', 'web'])
  const developers = ['typescript', 'prisma', 'tap', 'eslint', 'socket.io']
  t.same(developers.filter(name => existsSync(join(image.cwd, 'node_modules', name))), [])
  t.equal(image.said.USER, 'node')
  t.equal(image.said.VOLUME, '/data')
})

t.test('the data of the embedded database outlives the container', async t => {
  if (nobody.uid !== undefined) chownSync(image.env.PARLEY_DATA_DIR!, nobody.uid, nobody.gid)
  const { env, stop, healthy } = await start(t, { ADMIN_EMAIL: 'ann@example.org', ADMIN_PASSWORD: 'correct horse' })
  await stop()
  t.notOk(await healthy())
  t.match(await script(env, 'admin', 'list'), { code: 0, output: /^ann@example\.org {2}admin/ })
})

t.test('with PostgreSQL and Redis clients exchange messages, and the scripts work while the server runs', async t => {
  const { env, stop } = await start(t, {
    DATABASE_URL: await createDatabase(t), REDIS_URL: process.env.TEST_REDIS_URL!, REDIS_PREFIX: 'image-test:'
  })
  t.match(await script(env, 'smoke'), { code: 0, output: /All is well/ })
  t.same(await script(env, 'database', 'migrate'), { code: 0, output: 'nothing to apply\n' })
  t.match(await script(env, 'prune', '--older-than', '1d'), { code: 0, output: /^removed .* 0 messages/ })
  await stop()
})
