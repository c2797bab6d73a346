import { setTimeout as delay } from 'node:timers/promises'
import WebSocket, { type ClientOptions } from 'ws'
import { Deviation, check } from './verdict.ts'
import type { Witness } from './witness.ts'

/** A frame from the server. Cases read any field of it: judging them is their task. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Frame = Record<string, any> & { type: string }

export interface OpenOptions { protocols?: string[], headers?: Record<string, string> }
export interface Closed { code: number, reason: string }

export type Connection = ReturnType<typeof openConnection>

const REPLIES = new Set(['success', 'error', 'heartbeat_ack', 'channel_list', 'user_list'])
/** Most unread frames that a connection keeps. A server that sends more to a case than this is not worth reading. */
const MAX_UNREAD = 5000

type Fits = (frame: Frame) => boolean

/** Starts to open a connection and returns at once: the server may still refuse it. `deadline` bounds every wait, in milliseconds. */
export function openConnection (url: string, { protocols = [], headers = {} }: OpenOptions, witness: Witness, deadline: number) {
  const options: ClientOptions = { headers, handshakeTimeout: deadline, maxPayload: 64 * 1024 * 1024 }
  const socket = new WebSocket(url, protocols, options)
  const unread: Frame[] = []
  /** The requests that wait for their replies. A reply is told by its `ref`, or else by its place: replies come in order [P7]. */
  const asked: Array<{ ref: string | undefined, answer: (reply: Frame) => void }> = []
  const wakers = new Set<() => void>()
  const state: { first?: Frame, ended?: Closed, status?: number, fault?: string } = {}
  let refs = 0

  const wake = (): void => { for (const waker of [...wakers]) waker() }

  socket.on('message', (bytes, isBinary) => {
    const frame = parse(String(bytes), isBinary)
    witness.frame(frame)
    state.first ??= frame
    const waiting = REPLIES.has(frame.type) ? asked.findIndex(({ ref }) => frame.ref === undefined || ref === frame.ref) : -1
    if (waiting >= 0) asked.splice(waiting, 1)[0]!.answer(frame)
    else if (unread.length < MAX_UNREAD) unread.push(frame)
    wake()
  })
  socket.on('unexpected-response', (request, response) => {
    state.status = response.statusCode ?? 0
    request.destroy()
    state.ended ??= { code: 1006, reason: `HTTP ${state.status}` }
    wake()
  })
  socket.on('error', error => { state.fault = error.message })
  socket.on('open', wake)
  socket.on('close', (code, reason) => {
    state.ended ??= { code, reason: String(reason) }
    if (state.status === undefined) witness.close(code, String(reason))
    wake()
  })

  /** Calls `look` now and after everything that happens, until it returns something. @throws Deviation after `within` milliseconds. */
  function until<T> (expected: string, look: () => T | undefined, within = deadline): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(() => reject(deviation(`nothing within ${within} ms`))), within)
      const waker = (): void => {
        const found = look()
        if (found !== undefined) finish(() => resolve(found))
        else if (state.ended) finish(() => reject(deviation(`the connection ended with ${state.ended!.code} ${state.ended!.reason}`)))
      }
      const rest = (): string => unread.length > 0 ? `; unread: ${JSON.stringify(unread.slice(-3))}` : ''
      const deviation = (why: string) => new Deviation(expected, why + rest())
      function finish (act: () => void): void {
        clearTimeout(timer)
        wakers.delete(waker)
        act()
      }
      wakers.add(waker)
      waker()
    })
  }

  function send (frame: object | string | Buffer): void {
    socket.send(typeof frame === 'object' && !Buffer.isBuffer(frame) ? JSON.stringify(frame) : frame)
  }

  /** Sends a text as it is, or a frame with a new `ref`, and returns the reply, whatever it is. */
  function once (frame: object | string): Promise<Frame> {
    const ref = typeof frame === 'string' ? undefined : `r${++refs}`
    let reply: Frame | undefined
    asked.push({ ref, answer: came => { reply = came } })
    send(typeof frame === 'string' ? frame : { ...frame, ref })
    return until(`a reply to ${JSON.stringify(frame).slice(0, 200)}`, () => reply)
  }

  /** As `once`, but a request that comes too soon is made again after the time that the server names. */
  async function ask (frame: object | string): Promise<Frame> {
    for (let tries = 0; ; tries++) {
      const reply = await once(frame)
      const comesTooSoon = reply.type === 'error' && ['rate_limited', 'busy'].includes(reply.code) && reply.retry_after_ms < 20_000
      if (!comesTooSoon || tries === 5) return reply
      await delay(reply.retry_after_ms)
    }
  }

  function take (fits: Fits): Frame | undefined {
    const at = unread.findIndex(fits)
    return at === -1 ? undefined : unread.splice(at, 1)[0]
  }

  return {
    socket,
    state,
    /** Frames that have arrived, that are no replies to `ask`, and that nothing has taken yet; in order. */
    unread,
    send,
    once,
    ask,
    until,

    /** Resolves when the connection is open. @throws Deviation if the server refuses it. */
    opened: () => until('an open connection', () => [WebSocket.OPEN, WebSocket.CLOSING].includes(socket.readyState as 1 | 2) || undefined),

    /** Resolves with the HTTP status by which the server refuses the upgrade. */
    refused: () => until('a refused upgrade', () => state.status ?? (socket.readyState === WebSocket.OPEN ? 101 : undefined)),

    /** Makes a request that has to succeed. @returns the `data` of the reply, or the reply if it has a type of its own. */
    async must (frame: object): Promise<Frame> {
      const reply = await ask(frame)
      check(reply.type !== 'error', `success of ${JSON.stringify(frame).slice(0, 200)}`, reply)
      return (reply.type === 'success' ? reply.data ?? {} : reply) as Frame
    },

    /** Makes a request that has to be refused with this code. @returns the error. */
    async mustNot (frame: object | string, code: string): Promise<Frame> {
      const reply = await (code === 'rate_limited' ? once : ask)(frame)
      const shown = typeof frame === 'string' ? frame.slice(0, 100) : JSON.stringify(frame).slice(0, 200)
      check(reply.type === 'error' && reply.code === code, `${code} to ${shown}`, reply)
      return reply
    },

    /** Takes the first unread frame that fits, and waits until there is one. */
    expect: (expected: string, fits: Fits, within?: number) => until(expected, () => take(fits), within),

    /** Sends a heartbeat: with its answer, every frame that was sent to this connection before has arrived [P7]. */
    async settle (): Promise<void> {
      await once({ type: 'heartbeat' })
    },

    /** @throws Deviation if a frame that fits has arrived, or arrives before the answer to a heartbeat. */
    async none (unwanted: string, fits: Fits): Promise<void> {
      await this.settle()
      const frame = unread.find(fits)
      if (frame) throw new Deviation(`no ${unwanted}`, frame)
    },

    /** @throws Deviation unless the server closes the connection with this code. */
    async closes (code: number, when: string, within?: number): Promise<void> {
      const expected = `close code ${code} ${when}`
      const ended = await until(expected, () => state.ended, within)
      check(ended.code === code, expected, `${ended.code} ${ended.reason}`)
    },

    close (): void {
      socket.close()
      setTimeout(() => socket.terminate(), 1000).unref()
    }
  }
}

function parse (text: string, isBinary: boolean): Frame {
  try {
    const frame = JSON.parse(text) as Frame
    if (!isBinary && typeof frame === 'object' && frame !== null && typeof frame.type === 'string') return frame
  } catch {}
  return { type: '(unreadable)', text: text.slice(0, 200), isBinary }
}
