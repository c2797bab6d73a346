import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { end, findPrograms, freePort, launch, unprivileged, untilAnswers, type Service } from './service.ts'

interface PostgresOptions {
  /** The folder of PostgreSQL's programs. */
  bin: string
  port: number
  /** PostgreSQL waits for the disk at every commit. */
  durable?: boolean
  /** The folder in which its temporary folder is created. */
  base?: string
  /** Further settings of the server. */
  settings?: Record<string, string>
  /** The port of a primary. The new server is its standby, which can be read. */
  standbyOf?: number
  /** See `LaunchOptions`. */
  detached?: boolean
}

/**
 * Starts only a PostgreSQL, for tests that stop it. Resolves with `{ url, port, signal, restart, stop }`: `signal` reaches all of its
 * processes; `restart` ends it without waiting for clients, and starts it again with the same data and port.
 */
export async function startDatabase (options: Omit<PostgresOptions, 'bin' | 'port' | 'detached'> = {}) {
  const port = await freePort()
  const url = `postgresql://parley@127.0.0.1:${port}/postgres`
  let service = launchPostgres({ ...options, bin: findPrograms('postgresql')[0]!, port })
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
    port,
    /** The folder that is removed when it ends. */
    folder: service.folder,
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

/** Returns PostgreSQL's backends. They have process groups of their own, so a signal to PostgreSQL's group does not reach them. */
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

export function launchPostgres (options: PostgresOptions): Service {
  const { bin, port, durable = false, base = tmpdir(), settings = {}, standbyOf, detached = false } = options
  const folder = mkdtempSync(join(base, 'parley-pg-'))
  try {
    const user = unprivileged()
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
    const data = join(folder, 'data')
    const [program, making] = standbyOf === undefined
      ? ['initdb', ['-D', data, '-U', 'parley', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']] as const
      : ['pg_basebackup', ['-D', data, '-h', '127.0.0.1', '-p', String(standbyOf), '-U', 'parley', '-R', '-c', 'fast', '-N']] as const
    const made = spawnSync(join(bin, program), making, { cwd: folder, encoding: 'utf8', ...user })
    if (made.status !== 0) throw new Error(`${program} failed: ${made.error?.message ?? made.stderr}`)
    const all = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      max_connections: 300,
      fsync: durable ? 'on' : 'off',
      // A page can be half written only if the machine ends, which loses the data anyway without fsync.
      full_page_writes: durable ? 'on' : 'off',
      log_min_messages: 'fatal',
      ...settings
    }
    const parameters = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const args = ['-D', data, '-p', String(port), ...parameters]
    // SIGQUIT ends PostgreSQL at once, without waiting for clients.
    return launch('PostgreSQL', join(bin, 'postgres'), args, folder, 'SIGQUIT', { ...user, detached })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

export async function answersPostgres (connectionString: string, service: Service): Promise<void> {
  await untilAnswers(service, async () => {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1000 })
    try {
      await client.connect()
    } finally {
      await client.end()
    }
  })
}
