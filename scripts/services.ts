// Starts a private PostgreSQL, Redis and nginx for one run, with their own ports and temporary folders, and ends them by their process ids.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'

/** Milliseconds after which a service that does not answer counts as failed. */
const START_TIMEOUT = 30_000
/** Bytes that the databases of one run need at most, including their logs. */
const ROOM = 2 * 2 ** 30

interface Service {
  name: string
  child: ChildProcess
  /** Its temporary folder, which is removed when it ends. */
  folder: string
  /** The signal that ends it. */
  signal: NodeJS.Signals
  /** The last 4000 characters of its error output. */
  stderr: string
}

/** The user that a service runs as. Empty: the user of this process. */
interface User { uid?: number, gid?: number }

/**
 * Starts PostgreSQL and Redis. Resolves with `{ postgresUrl, redisUrl, stop }`: `postgresUrl` belongs to the superuser, and `stop` may be
 * called at any time. `durable` makes PostgreSQL wait for the disk at every commit, as in production; tests run faster without it. `nginx`
 * makes sure that nginx is installed, but does not start it. Missing programs are installed if apt-get exists and this user may use it.
 */
export async function startServices ({ durable = false, nginx = false } = {}) {
  const started: Service[] = []
  const stop = async () => {
    for (const service of started.splice(0).reverse()) await end(service)
  }
  try {
    const [bin, redis] = findPrograms('postgresql', 'redis-server', ...nginx ? ['nginx' as const] : []) as [string, string]
    const [postgresPort, redisPort] = [await freePort(), await freePort()]
    const folder = durable ? tmpdir() : fastestFolder()
    const services = [startPostgres(bin, postgresPort, durable, folder), startRedis(join(redis, 'redis-server'), redisPort)] as const
    started.push(...services)
    const postgresUrl = `postgresql://parley@127.0.0.1:${postgresPort}/postgres`
    await Promise.all([answersPostgres(postgresUrl, services[0]), answersRedis(redisPort, services[1])])
    return { postgresUrl, redisUrl: `redis://127.0.0.1:${redisPort}`, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Starts only a PostgreSQL, for tests that stop it. Resolves with `{ url, signal, restart, stop }`: `signal` reaches all of its processes;
 * `restart` ends it without waiting for clients, and starts it again with the same data and port. Its folder is created in `base`.
 */
export async function startDatabase ({ base = tmpdir() } = {}) {
  const port = await freePort()
  const url = `postgresql://parley@127.0.0.1:${port}/postgres`
  let service = startPostgres(findPrograms('postgresql')[0]!, port, false, base)
  const stop = () => end(service)
  const answers = () => answersPostgres(url, service)
  try {
    await answers()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    stop,
    signal (name: NodeJS.Signals): void {
      const pid = service.child.pid!
      for (const id of [pid, ...childrenOf(pid)]) kill(id, name)
    },
    async restart (pause: () => Promise<unknown> = async () => {}): Promise<void> {
      const { child, folder } = service
      const exited = once(child, 'exit')
      child.kill('SIGQUIT')
      await exited
      await pause()
      service = launch('PostgreSQL', child.spawnfile, child.spawnargs.slice(1), folder, 'SIGQUIT', unprivileged())
      await answers()
    }
  }
}

/** PostgreSQL's backends have process groups of their own, so a signal to PostgreSQL's group does not reach them. */
function childrenOf (pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

function kill (pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** For each Debian package, a function that finds the folder of its programs. */
const folderOf = {
  postgresql: postgresBin,
  'redis-server': () => folderInPath('redis-server'),
  nginx: () => folderInPath('nginx')
}

function findPrograms (...packages: Array<keyof typeof folderOf>): string[] {
  const missing = () => packages.filter(name => folderOf[name]() === undefined)
  if (missing().length > 0) aptInstall(missing())
  if (missing().length > 0) {
    throw new Error(`the tests need ${missing().join(' and ')}: run apt-get install ${missing().join(' ')}, or put the programs in PATH`)
  }
  return packages.map(name => folderOf[name]()!)
}

/** Debian installs nginx in /usr/sbin, which only root has in PATH. */
const folderInPath = (program: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].find(folder => existsSync(join(folder, program)))

/** Prefers Debian's newest version to one in PATH. The folder has to hold both initdb and postgres. */
function postgresBin (): string | undefined {
  const base = '/usr/lib/postgresql'
  const debian = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)).map(version => join(base, version, 'bin')) : []
  return [...debian, ...(process.env.PATH ?? '').split(delimiter)]
    .find(folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

function aptInstall (packages: string[]): void {
  const [command = '', ...prefix] = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '-n', 'apt-get']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  console.error(`parley: installing ${packages.join(' and ')} …`)
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]] as const) {
    const { status, stderr, error } = spawnSync(command, [...prefix, ...args], { env, encoding: 'utf8' })
    if (status !== 0) console.error(`parley: apt-get ${args[0]}: ${(stderr || error?.message || `exit code ${status}`).trim()}`)
  }
}

/** PostgreSQL refuses to run as root, so root starts it as another user. */
function unprivileged (): User {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = (['-u', '-g'] as const).map(flag => spawnSync('id', [flag, name], { encoding: 'utf8' }))
    if (uid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid!.stdout) }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody')
}

function startPostgres (bin: string, port: number, durable: boolean, base: string): Service {
  const folder = mkdtempSync(join(base, 'parley-pg-'))
  try {
    const user = unprivileged()
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
    const data = join(folder, 'data')
    const initArgs = ['-D', data, '-U', 'parley', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    const init = spawnSync(join(bin, 'initdb'), initArgs, { cwd: folder, encoding: 'utf8', ...user })
    if (init.status !== 0) throw new Error(`initdb failed: ${init.error?.message ?? init.stderr}`)
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      max_connections: 300,
      fsync: durable ? 'on' : 'off',
      log_min_messages: 'fatal'
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    // SIGQUIT ends PostgreSQL at once, without waiting for clients.
    return launch('PostgreSQL', join(bin, 'postgres'), ['-D', data, '-p', String(port), ...args], folder, 'SIGQUIT', user)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** Prefers a folder in memory if there is room: there, a test creates its database five times as fast as on a disk. */
function fastestFolder (): string {
  const memory = '/dev/shm'
  if (!existsSync(memory)) return tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize > ROOM ? memory : tmpdir()
}

function startRedis (program: string, port: number): Service {
  const folder = mkdtempSync(join(tmpdir(), 'parley-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  return launch('Redis', program, args, folder, 'SIGTERM')
}

/**
 * Starts nginx with the configuration that `configure` returns for its port and for the folder that it may write to. Resolves with
 * `{ port, folder, stop }`. If root starts it, its workers run as another user, as in production.
 */
export async function startNginx (configure: (place: { port: number, folder: string }) => string) {
  const [bin = ''] = findPrograms('nginx')
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'parley-nginx-'))
  chmodSync(folder, 0o755)
  let service: Service | undefined
  const stop = async (): Promise<void> => service ? end(service) : rmSync(folder, { recursive: true })
  try {
    const file = join(folder, 'nginx.conf')
    writeFileSync(file, configure({ port, folder }))
    service = launch('nginx', join(bin, 'nginx'), ['-e', 'stderr', '-p', folder, '-c', file, '-g', 'daemon off;'], folder, 'SIGTERM')
    await untilAnswers(service, async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect').finally(() => socket.destroy())
    })
    return { port, folder, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts a service in a process group of its own, because Ctrl-C must end the tests first and the services after them. */
function launch (name: string, program: string, args: string[], folder: string, signal: NodeJS.Signals, user: User = {}): Service {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], detached: true, ...user })
  const service: Service = { name, child, folder, signal, stderr: '' }
  child.on('error', error => { service.stderr += error.message })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { service.stderr = (service.stderr + text).slice(-4000) })
  return service
}

async function end ({ child, folder, signal }: Service): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit')
    child.kill(signal)
    await Promise.race([exited, delay(5000, undefined, { ref: false }).then(() => child.kill('SIGKILL'))])
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

async function answersPostgres (connectionString: string, service: Service): Promise<void> {
  await untilAnswers(service, async () => {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1000 })
    try {
      await client.connect()
    } finally {
      await client.end()
    }
  })
}

async function answersRedis (port: number, service: Service): Promise<void> {
  await untilAnswers(service, async () => {
    const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => {}) // Ignored, because `connect` rejects with the same error.
    try {
      await client.connect()
    } finally {
      client.disconnect()
    }
  })
}

async function untilAnswers (service: Service, ask: () => Promise<void>): Promise<void> {
  const { name, child } = service
  const deadline = performance.now() + START_TIMEOUT
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (child.exitCode !== null || child.pid === undefined || performance.now() > deadline) {
        throw new Error(`${name} did not start: ${service.stderr.trim() || (error as Error).message}`)
      }
      await delay(50)
    }
  }
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
