import { Readable } from 'node:stream'
import { setTimeout as rest } from 'node:timers/promises'
import type { Counters } from '../counters.ts'
import { AppError } from '../errors.ts'
import type { ExportStore } from '../store/export.ts'
import type { Actor } from '../store/users.ts'
import { countOne, HOUR_MS } from './window-limit.ts'

/** Exports that may run at this instance at a time. */
const MAX_RUNNING = 8
/** UTF-16 units after which a piece of the export is handed on. */
const PIECE = 65_536
/** Milliseconds in which a client has to take a piece. */
const PATIENCE_MS = 60_000

export type Exports = ReturnType<typeof createExports>

/**
 * Exports everything that is kept of a person [P71]. `perHour`: exports of one user, at all instances together; 0 is no limit.
 * `patience`: milliseconds in which a client has to take a piece of 64 Ki characters.
 */
export function createExports ({ store, counters, perHour, patience = PATIENCE_MS }: {
  store: ExportStore, counters: Pick<Counters, 'add'>, perHour: number, patience?: number
}) {
  const running = new Map<string, Readable>()

  /** Yields the lines of an export, each a JSON object. It reads the next page only when the lines before it are taken. */
  async function * linesOf (actor: Actor): AsyncGenerator<string> {
    yield toLine({ type: 'export', version: 1, user_id: actor.userId, created_at: new Date() })
    let lines = 0
    for (const section of store.sections) {
      let after: string | null = null
      do {
        const began = performance.now()
        const { rows, next } = await store.page(section, actor, after)
        const took = performance.now() - began
        for (const row of rows) yield toLine({ type: section.type, ...row })
        lines += rows.length
        after = next
        // Half of the time stays free for others: the embedded database runs on the server's own thread.
        if (after !== null) await rest(took, undefined, { ref: false })
      } while (after !== null)
    }
    yield toLine({ type: 'end', lines })
  }

  async function * piecesOf (actor: Actor, stalled: () => void): AsyncGenerator<string> {
    let piece = ''
    for await (const line of linesOf(actor)) {
      piece += line
      if (piece.length < PIECE) continue
      const timer = setTimeout(stalled, patience).unref()
      yield piece
      clearTimeout(timer)
      piece = ''
    }
    yield piece
  }

  return {
    /**
     * Begins an export: a stream of NDJSON, whose last line has the type `end`. It ends early, with an error, if the client does not read,
     * the user's login ends or the database fails.
     * @throws AppError `rate_limited` while another export of the user runs or beyond the limit, `busy` while too many run.
     */
    async begin (actor: Actor): Promise<Readable> {
      const { userId } = actor
      if (running.has(userId)) throw new AppError('rate_limited', { retryAfterMs: 1000 })
      if (running.size >= MAX_RUNNING) throw new AppError('busy')
      const stream: Readable = Readable.from(piecesOf(actor, () => stream.destroy(new AppError('busy'))), { objectMode: false })
      running.set(userId, stream)
      stream.once('close', () => running.delete(userId))
      try {
        await countOne(counters, `exports:${userId}`, perHour, HOUR_MS)
      } catch (error) {
        stream.destroy()
        throw error
      }
      return stream
    },

    /** Ends all exports, so that no client holds up the end of the server. */
    stop (): void {
      for (const stream of running.values()) stream.destroy(new AppError('unavailable'))
    }
  }
}

/** A line of NDJSON. Times are as everywhere in the interface: `toISOString`. */
function toLine (fields: Record<string, unknown>): string {
  return JSON.stringify(fields, (_, value: unknown) => typeof value === 'bigint' ? Number(value) : value) + '\n'
}
