import { createTimer, type Clock } from './clock.ts'
import { errorOf, ParleyError } from './errors.ts'
import { requestTypes } from './generated/names.ts'
import type { CallOptions } from './options.ts'
import type { Fields, Reply, Requests } from './wire.ts'

/** Milliseconds. */
const TIMEOUT = 15_000
/** Most requests that may wait for their replies. */
const MAX_CALLS = 1000

interface Call {
  text: string
  /** It may wait for a connection; otherwise it ends with the current one. */
  waits: boolean
  isSent: boolean
  /** Called once. For a reply it runs in the turn in which the frame is read [C2]. */
  done (error: ParleyError | undefined, reply?: unknown): void
}

export type Calls = ReturnType<typeof createCalls>

/** Matches requests with their replies by `ref`. `write` returns false if there is no connection. */
export function createCalls ({ clock, write, isOnline }: { clock: Clock, write (text: string): boolean, isOnline (): boolean }) {
  const calls = new Map<number, Call>()
  let refs = 0
  let maxPayload = Infinity

  /**
   * Makes a request. `text` is what `textOf` returned. The request ends with `offline` when the connection is lost before its reply.
   * `waits`: it is made as soon as there is a connection; otherwise now. @returns its `ref`.
   */
  function start (text: string, done: Call['done'], waits = false): number {
    const ref = ++refs
    const call = { text: `${text.slice(0, -1)},"ref":${ref}}`, waits, isSent: false, done }
    calls.set(ref, call)
    if (!waits || isOnline()) send(ref, call)
    return ref
  }

  function send (ref: number, call: Call): void {
    if (sizeOf(call.text) > maxPayload) end(ref, new ParleyError('message_too_long'))
    else call.isSent = write(call.text)
  }

  function end (ref: number, error?: ParleyError, reply?: unknown): boolean {
    const call = calls.get(ref)
    calls.delete(ref)
    call?.done(error, reply)
    return !!call
  }

  return {
    start,

    /** Makes a request as soon as there is a connection. @throws ParleyError */
    request: <K extends keyof Requests>(type: K, fields: Fields<K>, options: CallOptions = {}): Promise<Reply<K>> =>
      new Promise((resolve, reject) => {
        if (options.signal?.aborted) throw new ParleyError('aborted')
        if (calls.size >= MAX_CALLS) throw new ParleyError('outbox_full')
        const stop = limit(clock, options, error => { end(ref, error) })
        const ref = start(textOf(type, fields), (error, reply) => {
          stop()
          if (error) reject(error)
          else resolve(reply as Reply<K>)
        }, true)
      }),

    /** Gives the call its reply. @returns whether there was one that waited for it. */
    answer: (frame: { ref: number, type: string, data?: unknown }): boolean =>
      end(frame.ref, frame.type === 'error' ? errorOf(frame as never) : undefined, frame.data ?? frame),

    /** Makes the requests that wait for the connection. Frames may have this many bytes. */
    flush (bytes: number): void {
      maxPayload = bytes
      for (const [ref, call] of [...calls]) if (!call.isSent) send(ref, call)
    },

    /** Ends the requests whose replies were lost with the connection, or `all` of them. */
    lost (all = false): void {
      for (const [ref, { isSent, waits }] of [...calls]) if (isSent || !waits || all) end(ref, new ParleyError('offline'))
    }
  }
}

/** The text of a request's frame, without its `ref` and without fields that are undefined. @throws TypeError if JSON cannot express it. */
export function textOf<K extends keyof Requests> (type: K, fields: { [F in keyof Fields<K>]: Fields<K>[F] | undefined }): string {
  return JSON.stringify(requestTypes.includes(type) ? { type, ...fields } : { type: 'command', command: type, ...fields })
}

/** Bytes of the text in UTF-8. */
export function sizeOf (text: string): number {
  return new TextEncoder().encode(text).length
}

/** Gives a call up after its time, or when its caller does. @returns a function that ends the watch. */
export function limit (clock: Clock, { timeout = TIMEOUT, signal }: CallOptions, give: (error: ParleyError) => void): () => void {
  const timer = createTimer(clock, () => give(new ParleyError('timeout')))
  const abort = (): void => give(new ParleyError('aborted'))
  timer.start(timeout)
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  return () => {
    timer.stop()
    signal?.removeEventListener('abort', abort)
  }
}
