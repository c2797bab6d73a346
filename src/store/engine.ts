import { statfsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { DatabaseError } from './database-error.ts'
import { Engine } from './pglite.ts'

/**
 * Bytes that the disk must have left: the next file of the write-ahead log, of 16 MiB, and what one more batch may take. Without it
 * the engine panics.
 */
const RESERVE = 20 * 1_048_576
/** How often a full disk is looked at again, in milliseconds. */
const RETRY_MS = 1000

/** What the driver adapter and we ask of the engine, whichever is open. */
export type EngineCalls = Pick<Engine, 'query' | 'exec' | 'transaction'>

/**
 * The embedded database over the life of its disk: while that is full, what is stored can be read, writes fail with a SQLSTATE that
 * means `unavailable`, and one line is logged; once there is room it goes on by itself, with an engine opened anew where that had panicked.
 */
export async function openEngine (directory: string, inMemory: boolean, logger?: Pick<Logger, 'info' | 'error'>) {
  const path = inMemory ? directory : join(directory, 'pglite')
  let engine = await start()
  let full = false
  let lookedAt = 0
  let looking: Promise<void> | undefined

  async function start (): Promise<Engine> {
    if (!inMemory && freeBytes() < RESERVE) {
      throw new DatabaseError(`the disk is full: ${Math.ceil(RESERVE / 1_048_576)} MiB have to be free`)
    }
    const started = new Engine(path)
    await started.waitReady
    await started.exec('SET TimeZone = UTC')
    return started
  }

  function freeBytes (): number {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  }

  /** Runs one call on the engine that is open. */
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
    // The database itself then refuses whatever writes.
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
      // Not yet: the next look tries again.
      return
    }
    full = false
    logger?.info({ directory, free: freeBytes() }, 'the disk of the embedded database has room again')
  }

  /** What is free may still not be ours, where there is a quota. */
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
    get full () { return full },
    async close (): Promise<void> {
      // To close it properly would write.
      if (full) engine.abandon()
      else await engine.close()
    }
  }
}
