import { once } from 'node:events'
import WebSocket, { type ClientOptions } from 'ws'
import { DEADLINE } from './eventually.ts'
import type { Scope } from './helper.ts'

/** A frame from the server, as loosely as tests read it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Frame = Record<string, any> & { type: string }

/** WebSocket clients of the server on this port, also of one in another process; closed when the test ends. */
export function createClients (t: Scope, port: number) {
  return {
    /** A connection whose `welcome` has been read. */
    async connect (options: ClientOptions & { protocols?: string[] } = {}): Promise<Client> {
      const client = this.open(options)
      await client.expect('welcome')
      return client
    },

    /** A connection as soon as it is asked for: `opened` tells its fate. */
    open ({ protocols = [], ...options }: ClientOptions & { protocols?: string[] } = {}): Client {
      const client = createClient(new WebSocket(`ws://127.0.0.1:${port}/websocket`, protocols, options))
      t.teardown(() => client.socket.terminate())
      return client
    }
  }
}

export type Client = ReturnType<typeof createClient>

function createClient (socket: WebSocket) {
  /** Received and not yet expected. */
  const inbox: Frame[] = []
  const waiters = new Set<() => void>()
  let ended: { code: number, reason: string } | undefined
  /** Why there is no connection: the answer to its upgrade, for one. */
  let fault = ''
  let refs = 0

  socket.on('message', data => {
    inbox.push(JSON.parse(String(data)))
    for (const wake of [...waiters]) wake()
  })
  socket.on('close', (code, reason) => {
    ended = { code, reason: String(reason) }
    for (const wake of [...waiters]) wake()
  })
  socket.on('error', error => { fault = error.message })

  /** Resolves as soon as `look` finds something, now or after a later frame. */
  async function until<T> (what: string, look: () => T | undefined, deadline = DEADLINE): Promise<T> {
    const found = look()
    if (found !== undefined) return found
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`not within ${deadline} ms`), deadline)
      const wake = (): void => {
        const found = look()
        if (found !== undefined) finish(() => resolve(found))
        else if (ended) fail(`closed with ${ended.code} ${ended.reason}${fault}`)
      }
      function fail (why: string): void {
        finish(() => reject(new Error(`${what}: ${why}; unread: ${JSON.stringify(inbox).slice(0, 500)}`)))
      }
      function finish (act: () => void): void {
        clearTimeout(timer)
        waiters.delete(wake)
        act()
      }
      waiters.add(wake)
      if (ended) wake()
    })
  }

  /** Takes the first frame that fits out of the inbox; those before it stay. */
  function take (fits: (frame: Frame) => boolean): Frame | undefined {
    const at = inbox.findIndex(fits)
    return at === -1 ? undefined : inbox.splice(at, 1)[0]
  }

  function send (frame: object | string): void {
    socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  async function expect (what: string | ((frame: Frame) => boolean), deadline?: number): Promise<Frame> {
    const fits = typeof what === 'string' ? (frame: Frame) => frame.type === what : what
    return until(`expected ${typeof what === 'string' ? what : 'frame'}`, () => take(fits), deadline)
  }

  return {
    socket,
    /** Everything received and not yet expected, in order. */
    inbox,
    send,

    /** The first unread frame of this type, or that fits; waits for it. */
    expect,

    /** The reply to a frame that carries a ref of its own. */
    async exchange (frame: object): Promise<Frame> {
      const ref = `ref-${++refs}`
      send({ ...frame, ref })
      const { ref: _, ...reply } = await expect(received => received.ref === ref)
      return reply as Frame
    },

    /** The reply's frame, which must not be an error. */
    async request (frame: object): Promise<Frame> {
      const reply = await this.exchange(frame)
      if (reply.type === 'error') throw new Error(`${JSON.stringify(frame)}: ${reply.code}`)
      return reply
    },

    /** The next error frame; it must carry this code. */
    async expectError (code: string): Promise<Frame> {
      const frame = await expect('error')
      if (frame.code !== code) throw new Error(`expected ${code}, not ${frame.code}: ${frame.message}`)
      return frame
    },

    /**
     * Nothing more is on its way that the server sent before it read this: a heartbeat's answer came back, and what is
     * unread is in `inbox`.
     */
    async settle (): Promise<Frame[]> {
      await this.exchange({ type: 'heartbeat' })
      return inbox
    },

    /** Code and reason of the close frame. */
    closed: (deadline?: number): Promise<{ code: number, reason: string }> => until('close', () => ended, deadline),

    async close (): Promise<void> {
      if (socket.readyState === WebSocket.CLOSED) return
      socket.close()
      await once(socket, 'close')
    }
  }
}
