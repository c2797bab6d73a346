// Starts a private PostgreSQL, Redis and nginx for one run, with their own ports and temporary folders, and ends them by their process ids.
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answersPostgres, launchPostgres } from './postgres.ts'
import { end, findPrograms, freePort, launch, untilListens, type LaunchOptions, type Package, type Service } from './service.ts'

/** Bytes that the databases of one run need at most, including their logs. */
const ROOM = 2 * 2 ** 30

interface ServicesOptions {
  durable?: boolean
  packages?: Package[]
  settings?: Record<string, string>
}

/**
 * Starts PostgreSQL and Redis. Resolves with `{ postgresUrl, redisUrl, stop }`: `postgresUrl` belongs to the superuser, and `stop` may be
 * called at any time. `durable` makes PostgreSQL wait for the disk at every commit, as in production; tests run faster without it.
 * `settings` are further ones of PostgreSQL. `packages` are installed too, but not started. Missing programs are installed if apt-get
 * exists and this user may use it.
 */
export async function startServices ({ durable = false, packages = [], settings = {} }: ServicesOptions = {}) {
  const started: Service[] = []
  const stop = async () => {
    for (const service of started.splice(0).reverse()) await end(service)
  }
  try {
    const [bin = ''] = findPrograms('postgresql', 'redis-server', ...packages)
    const [postgresPort, redisPort] = [await freePort(), await freePort()]
    const folder = durable ? tmpdir() : fastestFolder()
    // Ctrl-C must end the tests first and the services after them.
    const detached = true
    const postgres = launchPostgres({ bin, port: postgresPort, durable, base: folder, settings, detached })
    started.push(postgres)
    const redis = launchRedis(redisPort, [], { detached })
    started.push(redis)
    const postgresUrl = `postgresql://parley@127.0.0.1:${postgresPort}/postgres`
    await Promise.all([answersPostgres(postgresUrl, postgres), untilListens(redis, redisPort)])
    return { postgresUrl, redisUrl: `redis://127.0.0.1:${redisPort}`, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Prefers a folder in memory if there is room: there, a test creates its database five times as fast as on a disk. */
export function fastestFolder (): string {
  const memory = '/dev/shm'
  if (!existsSync(memory)) return tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize > ROOM ? memory : tmpdir()
}

/** Launches an empty Redis that writes no files. `args` are added to its command line. */
export function launchRedis (port: number, args: string[] = [], options: LaunchOptions = {}): Service {
  const program = join(findPrograms('redis-server')[0]!, 'redis-server')
  const folder = mkdtempSync(join(tmpdir(), 'parley-redis-'))
  const all = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...args]
  // SIGKILL also ends a Redis that a test has stopped. There is no data to save.
  return launch('Redis', program, all, folder, 'SIGKILL', options)
}

/** How each proxy is started with a configuration file in a folder. */
const proxies = {
  nginx: { file: 'nginx.conf', args: ['-e', 'stderr', '-p', '.', '-c', 'nginx.conf', '-g', 'daemon off;'] },
  caddy: { file: 'Caddyfile', args: ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'] },
  haproxy: { file: 'haproxy.cfg', args: ['-db', '-f', 'haproxy.cfg'] }
}

/**
 * Starts a proxy with the configuration that `configure` returns for its port and for the folder that it may write to. Resolves with
 * `{ port, folder, stop }`. If root starts nginx, its workers run as another user, as in production.
 */
export async function startProxy (name: keyof typeof proxies, configure: (place: { port: number, folder: string }) => string) {
  const { file, args } = proxies[name]
  const [bin = ''] = findPrograms(name)
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), `parley-${name}-`))
  chmodSync(folder, 0o755)
  let service: Service | undefined
  const stop = async (): Promise<void> => service ? end(service) : rmSync(folder, { recursive: true })
  try {
    writeFileSync(join(folder, file), configure({ port, folder }))
    service = launch(name, join(bin, name), args, folder, 'SIGTERM')
    await untilListens(service, port)
    return { port, folder, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
