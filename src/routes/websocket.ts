import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import WebSocket, { WebSocketServer } from 'ws'
import { AppError, closeTable } from '../errors.ts'
import { FrameReader, type FrameHead, type FrameSink, type Verdict } from '../connections/frame-reader.ts'
import type { Limits } from '../connections/limits.ts'
import type { Connections } from '../connections/connections.ts'
import type { Session } from '../connections/session.ts'
import type { Transport } from '../connections/transport.ts'
import { addressOf, shownAddress } from '../plugins/address.ts'
import { SUBPROTOCOL } from '../schemas/protocol.ts'

export interface WebsocketDeps {
  connections: Connections
  onRefused (code: string): void
  /** Whether one more connection may be opened now [P5]. `further`: 1 if its socket is not among those of plugins/upgrades.ts, else 0. */
  hasRoom (further: 0 | 1): boolean
  /** Null: no limits. */
  limits: Pick<Limits, 'upgrade'> | null
  maxPayload: number
}

const PATH = '/websocket'
const MAX_FRAGMENTS = 64
const RETRY_AFTER_MS = 5000
/** A `Sec-WebSocket-Key`: 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/

/** Serves `GET /websocket`. Only this file uses both fastify and ws. */
const routes: FastifyPluginAsync<WebsocketDeps> = async (app, deps) => {
  const { connections, onRefused, hasRoom, limits, maxPayload } = deps
  let isProxyTold = false

  const server = new WebSocketServer({
    noServer: true,
    // The types ask for static members of the class, so the subclass needs a cast.
    WebSocket: Connection as never,
    maxPayload,
    maxFragments: MAX_FRAGMENTS,
    // By default ws ends a connection that sends 60 pings in one segment. Here pings are counted before ws reads them, and are not read
    // while earlier pongs wait to be sent. The types of ws lack this option.
    ...{ maxPendingAutoPongs: 0 },
    clientTracking: false,
    perMessageDeflate: false,
    handleProtocols: protocols => protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false
  })
  // Hold back the answer to the upgrade, so that it leaves in one write with `welcome`, after which `open` uncorks the socket.
  server.on('headers', (_headers, { socket }) => socket.cork())

  /** Why a connection may not be opened; null: it may, and is counted towards the limit of its address. */
  function refusalOf (headers: IncomingHttpHeaders, address: string, further: 0 | 1): AppError | null {
    // [P3]
    if (app.refusesOrigin(headers)) return new AppError('not_authorized')
    if (!isAllowedProtocol(headers)) return new AppError('invalid_request', { detail: `subprotocol: only ${SUBPROTOCOL} is spoken` })
    if (!hasRoom(further)) return new AppError('busy', { retryAfterMs: RETRY_AFTER_MS })
    const wait = limits?.upgrade(address) ?? 0
    return wait === 0 ? null : new AppError('rate_limited', { retryAfterMs: wait })
  }

  /** Tells the operator once of a proxy that has to be named. */
  function noteProxy (request: FastifyRequest): void {
    const isForwarded = request.headers['x-forwarded-for'] !== undefined
    if (!isForwarded || request.ip !== request.raw.socket.remoteAddress || isProxyTold) return
    isProxyTold = true
    const address = shownAddress(request)
    request.log.warn({ address }, 'over its limits, but with X-Forwarded-For: if this is your proxy, name it in TRUST_PROXY')
  }

  function upgrade (request: IncomingMessage, socket: Socket, rest: Buffer, ip: string | undefined): void {
    server.handleUpgrade(request, socket, rest, ws => open(ws as Connection, socket, ip))
  }

  function open (connection: Connection, socket: Socket, ip = ''): void {
    app.upgrades.release(socket)
    connection.session = connections.open(new SocketTransport(connection, socket, shownAddress({ ip })), addressOf({ ip }))
    connection.closed = connections.closed
    takeSocket(connection, socket)
    connection.on('error', onError).on('message', onMessage).on('pong', onPong).on('close', onClose)
    socket.on('drain', () => connection.session.drained())
    socket.uncork()
  }

  app.upgrades.upgradeBy((request, socket, rest) => {
    if (!isOrdinary(request)) return false
    const ip = app.ipOf(request)
    if (refusalOf(request.headers, addressOf({ ip }), 1) !== null) return false
    socket.setTimeout(0)
    upgrade(request, socket, rest, ip)
    return true
  })

  app.route({
    method: 'GET',
    url: PATH,
    schema: { hide: true },
    onRequest: async request => {
      if (app.upgrades.restOf(request.raw.socket) === undefined) return
      const refusal = refusalOf(request.headers, request.address, 0)
      if (refusal === null) return
      if (refusal.code === 'rate_limited') noteProxy(request)
      throw refusal
    },
    onError: async (request, _reply, { code }) => { if (app.upgrades.restOf(request.raw.socket) !== undefined) onRefused(code) },
    handler: async (request, reply) => {
      const { socket } = request.raw
      const rest = app.upgrades.restOf(socket)
      if (rest === undefined) throw new AppError('invalid_request', { detail: 'a WebSocket upgrade is expected' })
      reply.hijack()
      // From here on ws answers. An attached socket would keep response and request, 3 KB, for as long as the connection lasts.
      reply.raw.detachSocket(socket)
      upgrade(request.raw, socket, rest, request.ip)
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

/**
 * Whether the request is a handshake as nearly all clients send it, in which ws finds no fault. The router judges all others: a path may be
 * spelled in many ways.
 */
function isOrdinary ({ method, url = '', httpVersion, headers }: IncomingMessage): boolean {
  const { upgrade, 'sec-websocket-version': version, 'sec-websocket-key': key = '', 'sec-websocket-protocol': protocol } = headers
  return (url === PATH || url.startsWith(`${PATH}?`)) && method === 'GET' && httpVersion === '1.1' && upgrade === 'websocket' &&
    version === '13' && KEY.test(key) && (protocol === undefined || protocol === SUBPROTOCOL)
}

/** [P2] */
function isAllowedProtocol (headers: IncomingHttpHeaders): boolean {
  const offered = headers['sec-websocket-protocol']
  return offered === undefined || offered.split(',').some(name => name.trim() === SUBPROTOCOL)
}
