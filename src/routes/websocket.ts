import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import fastifyWebsocket from '@fastify/websocket'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import WebSocket from 'ws'
import { AppError, closeTable } from '../errors.ts'
import { FrameReader, type FrameHead, type FrameSink, type Verdict } from '../connections/frame-reader.ts'
import type { Limits } from '../connections/limits.ts'
import type { Connections } from '../connections/connections.ts'
import type { Session } from '../connections/session.ts'
import type { Transport } from '../connections/transport.ts'
import { shownAddress } from '../plugins/address.ts'
import { SUBPROTOCOL } from '../schemas/protocol.ts'

export interface WebsocketDeps {
  connections: Connections
  onRefused (code: string): void
  /** Whether one more connection may be opened now [P5]. */
  hasRoom (): boolean
  /** Null: no limits. */
  limits: Pick<Limits, 'upgrade'> | null
  maxPayload: number
}

const MAX_FRAGMENTS = 64
const RETRY_AFTER_MS = 5000

/** Serves `GET /websocket`. Only this file uses both fastify and ws. */
const routes: FastifyPluginAsync<WebsocketDeps> = async (app, deps) => {
  const { connections, onRefused, hasRoom, limits, maxPayload } = deps
  let isProxyTold = false

  function admit (request: FastifyRequest): void {
    const wait = limits?.upgrade(request.address) ?? 0
    if (wait === 0) return
    const isForwarded = request.headers['x-forwarded-for'] !== undefined
    if (isForwarded && request.ip === request.raw.socket.remoteAddress && !isProxyTold) {
      isProxyTold = true
      const address = shownAddress(request)
      request.log.warn({ address }, 'over its limits, but with X-Forwarded-For: if this is your proxy, name it in TRUST_PROXY')
    }
    throw new AppError('rate_limited', { retryAfterMs: wait })
  }

  await app.register(fastifyWebsocket, {
    options: {
      // Not the HTTP server: plugins/upgrades.ts emits only requests that are WebSocket handshakes.
      server: app.upgrades.handshakes as Server,
      // The CommonJS types of the plugin ask for static members of the class, so the subclass needs a cast.
      WebSocket: Connection as never,
      maxPayload,
      maxFragments: MAX_FRAGMENTS,
      // By default ws ends a connection that sends 60 pings in one segment. Here pings are counted before ws reads them, and are not read
      // while earlier pongs wait to be sent. The types of ws lack this option.
      ...{ maxPendingAutoPongs: 0 },
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: protocols => protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false
    },
    // The plugin must not close connections: the drain closes each of them with its own code and reason.
    preClose: done => done()
  })

  // Hold back the answer to the upgrade, so that it leaves in one write with `welcome`. `wsHandler` uncorks the socket.
  app.websocketServer.on('headers', (_headers, { socket }) => socket.cork())

  app.route({
    method: 'GET',
    url: '/websocket',
    schema: { hide: true },
    onRequest: async (request, reply) => {
      if (!request.ws) return
      // [P3]
      if (request.refusedOrigin !== undefined) throw new AppError('not_authorized')
      if (!isAllowedProtocol(request)) throw new AppError('invalid_request', { detail: `subprotocol: only ${SUBPROTOCOL} is spoken` })
      if (!hasRoom()) throw new AppError('busy', { retryAfterMs: RETRY_AFTER_MS })
      admit(request)
      // From here on ws answers. An attached socket would keep response and request, 3 KB, for as long as the connection lasts.
      reply.raw.detachSocket(request.raw.socket)
    },
    onError: async (request, _reply, { code }) => { if (request.ws) onRefused(code) },
    handler: async () => { throw new AppError('invalid_request', { detail: 'a WebSocket upgrade is expected' }) },
    wsHandler: (ws, request) => {
      const connection = ws as Connection
      const { socket } = request.raw
      app.upgrades.release(socket)
      connection.session = connections.open(new SocketTransport(connection, socket, shownAddress(request)), request.address)
      connection.closed = connections.closed
      takeSocket(connection, socket)
      // The plugin's own listener would keep the request in memory as well.
      connection.removeAllListeners('error').on('error', onError)
      connection.on('message', onMessage).on('pong', onPong).on('close', onClose)
      socket.on('drain', () => connection.session.drained())
      // Uncork after `welcome` has been written: its flush was scheduled earlier.
      setImmediate(() => socket.uncork())
    }
  })
}

export default routes

/** A ws connection with its session. Connections share their listeners, so that ten thousand of them are not ten thousand closures. */
class Connection extends WebSocket implements FrameSink {
  declare session: Session
  declare socket: Socket
  declare reader: FrameReader
  /** ws's own listener for the socket's bytes. */
  declare feed: (this: Socket, bytes: Buffer) => void
  /** Verdict on the frame that ws is reading: 0, or for a refused frame the milliseconds after which it may pass. */
  declare refusedFor: number
  declare closed: Connections['closed']
  /** Code of the first close frame that this server sent, by itself or as an answer. */
  declare closedWith: number | undefined

  get room (): number { return this.session.inbox.room }
  admit (head: FrameHead): Verdict { return this.session.inbox.admit(head) }
  admitRest (bytes: number): void { this.session.inbox.admitRest(bytes) }
  putBack (bytes: Buffer): void { this.socket.unshift(bytes) }

  pass (bytes: Buffer, refusedFor: number): void {
    this.refusedFor = refusedFor
    this.feed.call(this.socket, bytes)
  }

  /** Adds the reason when ws closes a connection by itself after a violation, because ws gives only a code. */
  override close (code?: number, reason?: string | Buffer): void {
    this.closedWith ??= code
    super.close(code, reason ?? (code === closeTable.message_too_big.code ? closeTable.message_too_big.reason : undefined))
  }
}

/** Puts a `FrameReader` between the socket and ws, so that each frame is judged before ws reads it [P53]. */
function takeSocket (connection: Connection, socket: Socket): void {
  const feed = socket.listeners('data').at(-1) as Connection['feed']
  connection.socket = socket
  connection.feed = feed
  connection.reader = new FrameReader(connection)
  socket.removeListener('data', feed).on('data', (bytes: Buffer) => connection.reader.read(bytes)).prependListener('close', onSocketClose)
}

/** Discards what a paused socket still holds when it closes. Otherwise ws would read it, without limits and with nobody to answer. */
function onSocketClose (this: Socket): void {
  this.removeAllListeners('data').read()
}

function onMessage (this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  const { session, refusedFor } = this as Connection
  if (isBinary) session.close('unsupported_data')
  else session.receive(data as Buffer, refusedFor)
}

/** Stops reading. After a violation, ws has sent a close frame with its code and waits for the peer to end the connection. */
function onError (this: WebSocket): void {
  (this as Connection).reader.end()
}

/** A pong that does not carry a ping's number answers the last ping. */
function onPong (this: WebSocket, payload: Buffer): void {
  (this as Connection).session.pong(payload.length === 4 ? payload.readUInt32BE() : undefined)
}

function onClose (this: WebSocket, code: number): void {
  const { session, closed, closedWith } = this as Connection
  closed(session, closedWith ?? code)
}

/** Writes frames straight to the socket, past ws, because they are encoded already. */
class SocketTransport implements Transport {
  readonly #ws: WebSocket
  readonly #socket: Socket
  readonly address: string

  constructor (ws: WebSocket, socket: Socket, address: string) {
    this.#ws = ws
    this.#socket = socket
    this.address = address
  }

  get buffered (): number { return this.#socket.writableLength }
  get bytesReceived (): number { return this.#socket.bytesRead }
  get bytesSent (): number { return this.#socket.bytesWritten }

  write (frames: Buffer, onTaken?: () => void): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#socket.write(frames, onTaken)
  }

  cork (): void { this.#socket.cork() }
  uncork (): void { this.#socket.uncork() }
  pause (): void { this.#ws.pause() }
  resume (): void { this.#ws.resume() }
  ping (number: number): void {
    const payload = Buffer.allocUnsafe(4)
    payload.writeUInt32BE(number)
    this.#ws.ping(payload)
  }

  close (code: number, reason: string): void { this.#ws.close(code, reason) }
  terminate (): void { this.#ws.terminate() }
}

/** [P2] */
function isAllowedProtocol ({ headers }: FastifyRequest): boolean {
  const offered = headers['sec-websocket-protocol']
  return offered === undefined || offered.split(',').some(name => name.trim() === SUBPROTOCOL)
}
