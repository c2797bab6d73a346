import { createTimer, type Clock } from './clock.ts'
import { errorOf, ParleyError } from './errors.ts'
import { requestTypes } from './generated/names.ts'
import type { CallOptions } from './options.ts'
import type { Fields, Reply, Requests } from './wire.ts'

/** Milliseconds. */
export const CALL_TIMEOUT = 15_000
/** Most requests that may wait for their replies. */
const MAX_CALLS = 1000

/** Called once: with an error, or with what the reply carries. It runs in the turn in which the reply's frame is read [C2]. */
export type Done<K extends keyof Requests> = (error: ParleyError | undefined, reply: Reply<K>) => void

interface Call {
  text: string
  /** It may wait for a connection; otherwise it ends with the current one. */
  waits: boolean
  isSent: boolean
  done (error: ParleyError | undefined, reply?: unknown): void
}

export type Calls = ReturnType<typeof createCalls>

/** Matches requests with their replies by `ref`. `write` returns false while the connection takes no requests. */
export function createCalls ({ clock, write }: { clock: Clock, write (text: string): boolean }) {
  const calls = new Map<number, Call>()
  let refs = 0
  let maxPayload = Infinity

  function start (text: string, done: Call['done'], via = write, waits = false): number {
    const ref = ++refs
    const call = { text: `${text.slice(0, -1)},"ref":${ref}}`, waits, isSent: false, done }
    calls.set(ref, call)
    send(ref, call, via)
    return ref
  }

  function send (ref: number, call: Call, via = write): void {
    if (isLarger(call.text, maxPayload)) end(ref, new ParleyError('message_too_long', 'Message too long'))
    else call.isSent = via(call.text)
  }

  function end (ref: number, error?: ParleyError, reply?: unknown): boolean {
    const call = calls.get(ref)
    calls.delete(ref)
    call?.done(error, reply)
    return call !== undefined
  }

  return {
    /**
     * Makes a request now. `text` is what `textOf` returned, `via` writes it in another way than usual. The request ends with `offline`
     * when the connection is lost before its reply. @returns its `ref`.
     */
    start,

    /** Makes a request as soon as the connection takes it. */
    request<K extends keyof Requests> (
      type: K, fields: Fields<K>, { timeout = CALL_TIMEOUT, signal }: CallOptions = {}
    ): Promise<Reply<K>> {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) throw new ParleyError('aborted')
        if (calls.size >= MAX_CALLS) throw new ParleyError('outbox_full')
        const abort = (): unknown => end(ref, new ParleyError('aborted'))
        const timer = createTimer(clock, () => end(ref, new ParleyError('timeout')))
        const ref = start(textOf(type, fields), (error, reply) => {
          timer.stop()
          signal?.removeEventListener('abort', abort)
          if (error) reject(error)
          else resolve(reply as Reply<K>)
        }, write, true)
        if (!calls.has(ref)) return
        timer.start(timeout)
        signal?.addEventListener('abort', abort)
      })
    },

    /** Gives the call its reply. @returns whether there was one that waited for it. */
    answer ({ ref, ...frame }: { ref: number, type: string, [field: string]: unknown }): boolean {
      if (frame.type === 'error') return end(ref, errorOf(frame as never))
      return end(ref, undefined, frame.type === 'success' ? frame.data : frame)
    },

    /** Sends the requests that wait for the connection. Frames may have this many bytes. */
    flush (limit: number): void {
      maxPayload = limit
      for (const [ref, call] of [...calls]) if (call.waits && !call.isSent) send(ref, call)
    },

    /** Ends the requests whose replies were lost with the connection, or `all` of them. */
    lost (all = false): void {
      for (const [ref, { isSent, waits }] of [...calls]) if (isSent || !waits || all) end(ref, new ParleyError('offline'))
    }
  }
}

/** The text of a request's frame, without its `ref`. @throws TypeError if JSON cannot express the fields. */
export function textOf<K extends keyof Requests> (type: K, fields: Fields<K>): string {
  return JSON.stringify(requestTypes.includes(type) ? { type, ...fields } : { type: 'command', command: type, ...fields })
}

/** Bytes of the text in UTF-8. */
export function sizeOf (text: string): number {
  return new TextEncoder().encode(text).length
}

function isLarger (text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && sizeOf(text) > bytes)
}
