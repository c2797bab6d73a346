import { once } from 'node:events'
import WebSocket, { type ClientOptions } from 'ws'
import { DEADLINE } from './eventually.ts'
import type { Scope } from './scope.ts'

/** A frame from the server. Tests may read any field of it without a check of its type. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Frame = Record<string, any> & { type: string }

/** Options of the package `ws`, and the subprotocols that the client offers. */
export type ConnectOptions = ClientOptions & { protocols?: string[] }

/** Judges what comes: each frame as it was sent, and each reply that `exchange` awaits, with its request. Both throw at what is wrong. */
export interface Checks { frame (json: string): void, reply (request: object, reply: Frame): void }

/** Creates WebSocket connections to the server on this port, which may run in another process. They close when the scope is over. */
export function createConnections (scope: Scope, port: number, checks?: Checks) {
  return {
    /** Opens a connection and reads its `welcome`. */
    async connect (options: ConnectOptions = {}): Promise<Connection> {
      const connection = this.open(options)
      await connection.expect('welcome')
      return connection
    },

    /** Starts to open a connection and returns at once: the server may still refuse it. */
    open ({ protocols = [], ...options }: ConnectOptions = {}): Connection {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/websocket`, protocols, options)
      scope.teardown(() => socket.terminate())
      return createConnection(socket, checks)
    }
  }
}

/** A WebSocket connection as a test uses it: frame by frame, without a client that hides faults. */
export type Connection = ReturnType<typeof createConnection>

function createConnection (socket: WebSocket, checks?: Checks) {
  /** Frames that have arrived and that no `expect` has taken yet. */
  const inbox: Frame[] = []
  const waiters = new Set<() => void>()
  let ended: { code: number, reason: string } | undefined
  /** The error of the socket, for example the HTTP status that refused the upgrade. */
  let fault = ''
  let refs = 0

  socket.on('message', data => {
    checks?.frame(String(data))
    inbox.push(JSON.parse(String(data)) as Frame)
    for (const wake of [...waiters]) wake()
  })
  socket.on('close', (code, reason) => {
    ended = { code, reason: String(reason) }
    for (const wake of [...waiters]) wake()
  })
  socket.on('error', error => { fault = error.message })

  /** Calls `look` now and after every frame, and resolves with its first result that is not undefined. */
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

  /** Removes the first matching frame from the inbox. Earlier frames stay in it. */
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
    /** Frames that have arrived and that no `expect` has taken yet, in order. */
    inbox,
    send,

    /** Takes the first unread frame that has this type or that the function accepts, and waits until there is one. */
    expect,

    /** Sends a frame with a new `ref` and returns the reply without the `ref`. */
    async exchange (frame: object): Promise<Frame> {
      const ref = `ref-${++refs}`
      send({ ...frame, ref })
      const { ref: _, ...reply } = await expect(received => received.ref === ref)
      checks?.reply(frame, reply as Frame)
      return reply as Frame
    },

    /** Sends a frame and returns the reply. @throws Error if the reply is an error frame. */
    async request (frame: object): Promise<Frame> {
      const reply = await this.exchange(frame)
      if (reply.type === 'error') throw new Error(`${JSON.stringify(frame)}: ${reply.code}`)
      return reply
    },

    /** Takes the next error frame. @throws Error if it has another code. */
    async expectError (code: string): Promise<Frame> {
      const frame = await expect('error')
      if (frame.code !== code) throw new Error(`expected ${code}, not ${frame.code}: ${frame.message}`)
      return frame
    },

    /**
     * Sends a heartbeat and waits for the answer: by then every frame that the server sent before it has arrived.
     * @returns the unread frames.
     */
    async settle (): Promise<Frame[]> {
      await this.exchange({ type: 'heartbeat' })
      return inbox
    },

    /** Waits until the connection is closed and returns the code and reason of the close frame. */
    closed: (deadline?: number): Promise<{ code: number, reason: string }> => until('close', () => ended, deadline),

    async close (): Promise<void> {
      if (socket.readyState === WebSocket.CLOSED) return
      socket.close()
      await once(socket, 'close')
    }
  }
}
