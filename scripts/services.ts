// A private PostgreSQL, Redis and nginx for one test run: own ports, own temporary folders, ended by their pids.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'

/** Milliseconds. */
const START_TIMEOUT = 30_000
/** Bytes that the databases of one run may take, with their logs. */
const ROOM = 2 * 2 ** 30

interface Service {
  name: string
  child: ChildProcess
  /** Its own, removed with it. */
  folder: string
  /** What ends it. */
  signal: NodeJS.Signals
  /** The end of what it printed there. */
  stderr: string
}

/** Who runs it; nobody else than we, where empty. */
interface User { uid?: number, gid?: number }

/**
 * Starts both. Resolves with `{ postgresUrl, redisUrl, stop }`; `postgresUrl` is the superuser's, `stop` may be called at any time.
 * `durable`: PostgreSQL waits for the disk at every commit, as in production; tests are spared that.
 * `nginx`: it is not started, but will be there. What is not installed is installed where apt-get and the right to use it are there.
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
 * A PostgreSQL alone, for those who stop it. Resolves with `{ url, signal, restart, stop }`: `signal` reaches all of its processes,
 * `restart` ends it without waiting for anybody and starts it again on the same data and port. `base`: where its folder is made.
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

/** PostgreSQL's backends are in process groups of their own. */
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

/** By Debian's package: the folder of its programs. */
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

/** Debian has nginx where only root looks. */
const folderInPath = (program: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].find(folder => existsSync(join(folder, program)))

/** The newest of Debian's, else one in PATH; both programs have to be there. */
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

/** PostgreSQL refuses to run as root. */
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
    // A fast end without waiting for clients: SIGQUIT.
    return launch('PostgreSQL', join(bin, 'postgres'), ['-D', data, '-p', String(port), ...args], folder, 'SIGQUIT', user)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** In memory, where there is room: a test makes its database five times as fast there as on a disk. */
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
 * nginx with the configuration that `configure` makes of its port and of the folder that is its to write in. Resolves with
 * `{ port, folder, stop }`. Where root starts it, its workers are somebody else, as in production.
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

/** In a process group of its own: Ctrl-C must end the tests first and the services after them. */
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
    client.on('error', () => {}) // `connect` rejects with the same error.
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
