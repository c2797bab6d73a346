import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds after which a service that does not answer counts as failed. */
const START_TIMEOUT = 30_000

export interface Service {
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

export interface LaunchOptions extends User {
  /** Ctrl-C in a terminal does not reach the service, so its owner has to end it. By default Ctrl-C ends it together with this process. */
  detached?: boolean
}

/** For each Debian package, a function that finds the folder of its programs or fonts. */
const folderOf = {
  postgresql: postgresBin,
  'redis-server': () => folderInPath('redis-server'),
  nginx: () => folderInPath('nginx'),
  caddy: () => folderInPath('caddy'),
  haproxy: () => folderInPath('haproxy'),
  pgbouncer: () => folderInPath('pgbouncer'),
  openssl: () => folderInPath('openssl'),
  chromium: () => folderInPath('chromium'),
  'chromium-headless-shell': () => folderInPath('chromium-headless-shell'),
  'firefox-esr': () => folderInPath('firefox-esr'),
  webp: () => folderInPath('img2webp'),
  'fonts-noto-core': () => folderOfFont('truetype/noto/NotoSans-Regular.ttf'),
  'fonts-noto-color-emoji': () => folderOfFont('truetype/noto/NotoColorEmoji.ttf'),
  'fonts-ipafont-gothic': () => folderOfFont('opentype/ipafont-gothic/ipag.ttf')
}
export type Package = keyof typeof folderOf

/** Returns the folders of the packages' programs. Installs what is missing. */
export function findPrograms (...packages: Package[]): string[] {
  const missing = () => packages.filter(name => folderOf[name]() === undefined)
  if (missing().length > 0) aptInstall(missing())
  if (missing().length > 0) {
    throw new Error(`the tests need ${missing().join(' and ')}: run apt-get install ${missing().join(' ')}, or put the programs in PATH`)
  }
  return packages.map(name => folderOf[name]()!)
}

/** Debian installs nginx and HAProxy in /usr/sbin, which only root has in PATH. */
const folderInPath = (program: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].find(folder => existsSync(join(folder, program)))

function folderOfFont (file: string): string | undefined {
  const path = join('/usr/share/fonts', file)
  return existsSync(path) ? dirname(path) : undefined
}

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
export function unprivileged (): User {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = (['-u', '-g'] as const).map(flag => spawnSync('id', [flag, name], { encoding: 'utf8' }))
    if (uid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid!.stdout) }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody')
}

export function launch (
  name: string, program: string, args: string[], folder: string, signal: NodeJS.Signals, options: LaunchOptions = {}
): Service {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...options })
  const service: Service = { name, child, folder, signal, stderr: '' }
  child.on('error', error => { service.stderr += error.message })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { service.stderr = (service.stderr + text).slice(-4000) })
  return service
}

export async function end ({ child, folder, signal }: Service): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit')
    child.kill(signal)
    await Promise.race([exited, delay(5000, undefined, { ref: false }).then(() => child.kill('SIGKILL'))])
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Resolves when the service accepts connections on this port of 127.0.0.1. */
export async function untilListens (service: Service, port: number): Promise<void> {
  await untilAnswers(service, async () => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect').finally(() => socket.destroy())
  })
}

/** Calls `ask` until it succeeds. Rejects if the service ends before that, or after half a minute. */
export async function untilAnswers (service: Service, ask: () => Promise<void>): Promise<void> {
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

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
