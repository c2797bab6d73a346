import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statfsSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DatabaseLogger } from './client.ts'
import { DatabaseError } from './database-error.ts'
import { Engine } from './pglite.ts'

/**
 * Bytes that must be free on the disk: for the next file of the write-ahead log (16 MiB) and for the data of one more batch. The engine
 * panics when it runs out of space.
 */
const RESERVE = 20 * 1_048_576
/**
 * Memory in which the engine keeps pages. PostgreSQL's default of 128 MB would be cleared at each start, and would belong to the process
 * from then on. Pages that are not in it come from the operating system's cache.
 */
const SHARED_BUFFERS = '16MB'
/** Milliseconds that the making of an empty database may take, which is seconds on a machine that has nothing else to do. */
const MAKING_TIMEOUT = 300_000
/** Milliseconds between two checks whether a full disk has room again. */
const RETRY_MS = 1000

/** The engine's methods that the driver adapter and this server call. */
type EngineCalls = Pick<Engine, 'query' | 'exec' | 'transaction'>

/**
 * Opens the embedded database, which survives a full disk. While the disk is full, writes fail with a SQLSTATE that means `unavailable`,
 * stored data can be read (unless the engine has panicked), and one line is logged. Once there is room, writes succeed again without a
 * restart; a new engine replaces one that has panicked.
 */
export async function openEngine (directory: string, inMemory: boolean, logger?: DatabaseLogger) {
  const path = inMemory ? directory : join(directory, 'pglite')
  let engine = await start()
  let full = false
  let lookedAt = 0
  let looking: Promise<void> | undefined

  async function start (): Promise<Engine> {
    if (!inMemory && freeBytes() < RESERVE) {
      throw new DatabaseError(`the disk is full: ${Math.ceil(RESERVE / 1_048_576)} MiB have to be free`)
    }
    if (!inMemory && !existsSync(join(path, 'PG_VERSION'))) await makeFiles(path)
    const started = new Engine(path, { startParams: [...Engine.defaultStartParams, '-c', `shared_buffers=${SHARED_BUFFERS}`] })
    await started.waitReady
    await started.exec('SET TimeZone = UTC')
    return started
  }

  function freeBytes (): number {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  }

  /** Checks the disk, then runs one call on the current engine. */
  async function run<T> (call: (open: Engine) => Promise<T>): Promise<T> {
    if (inMemory) return call(engine)
    if (!full && freeBytes() < RESERVE) await becomeFull()
    else if (full) await lookForRoom()
    const used = engine
    try {
      return await call(used)
    } catch (error) {
      if (used === engine && (used.panicked || (error as { code?: string }).code === '53100')) await becomeFull(error)
      throw error
    }
  }

  async function becomeFull (err?: unknown): Promise<void> {
    if (!full) {
      full = true
      lookedAt = performance.now()
      const free = freeBytes()
      const facts = { err: engine.panic ?? err, directory, free }
      logger?.error(facts, 'the disk of the embedded database is full: nothing is stored until there is room')
    }
    if (engine.panicked) engine.abandon()
    // A read-only database itself refuses every write, and still serves reads.
    else await engine.exec('SET default_transaction_read_only = on')
  }

  function lookForRoom (): Promise<void> {
    if (!looking && performance.now() - lookedAt < RETRY_MS) return Promise.resolve()
    looking ??= goOn().finally(() => {
      lookedAt = performance.now()
      looking = undefined
    })
    return looking
  }

  async function goOn (): Promise<void> {
    if (freeBytes() < RESERVE || !await mayWrite()) return
    try {
      if (engine.panicked) engine = await start()
      else await engine.exec('SET default_transaction_read_only = off')
    } catch {
      // The engine cannot write yet; the next check tries again.
      return
    }
    full = false
    logger?.info({ directory, free: freeBytes() }, 'the disk of the embedded database has room again')
  }

  /** Writes a test file, because a quota may forbid the use of free space. */
  async function mayWrite (): Promise<boolean> {
    const probe = join(directory, 'room.probe')
    try {
      await writeFile(probe, Buffer.alloc(RESERVE))
      return true
    } catch {
      return false
    } finally {
      await rm(probe, { force: true })
    }
  }

  const calls = {
    query: (...args: Parameters<Engine['query']>) => run(open => open.query(...args)),
    exec: (...args: Parameters<Engine['exec']>) => run(open => open.exec(...args)),
    transaction: (callback: Parameters<Engine['transaction']>[0]) => run(open => open.transaction(callback))
  } as EngineCalls

  return {
    ...calls,
    /** Runs a function while no statement runs. */
    exclusively: (callback: () => Promise<void>): Promise<void> => run(open => open.runExclusive(callback)),
    get full () { return full },
    async close (): Promise<void> {
      // A proper shutdown of the engine would write to the full disk.
      if (full) engine.abandon()
      else await engine.close()
    }
  }
}

/**
 * Makes the files of an empty database. Another process does it, because it takes 600 MB, which this process would keep for minutes. The
 * files get their name when they are complete, so a start that was killed leaves nothing that looks like a database.
 */
async function makeFiles (path: string): Promise<void> {
  if (existsSync(path)) throw new DatabaseError(`${path} has no database, but it is there: move it away`)
  const draft = `${path}.new`
  await rm(draft, { recursive: true, force: true })
  const program = fileURLToPath(new URL('./initdb.js', import.meta.url))
  const child = fork(program, [draft], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], timeout: MAKING_TIMEOUT })
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', text => { errors += text })
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new DatabaseError(`its files cannot be made: ${errors.trim() || `ended by ${signal ?? code}`}`)
  await rename(draft, path)
}
