import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Limits } from '../connections/limits.ts'
import { addressOf } from './address.ts'

declare module 'fastify' {
  interface FastifyInstance { upgrades: ReturnType<typeof createUpgrades> }
}

export interface UpgradesDeps {
  /** Null: none. */
  limits: Pick<Limits, 'hold'> | null
}

interface Pending {
  /** Ends the socket when its time is over. */
  timer: NodeJS.Timeout
  /** Takes the socket off its address's connections. */
  releaseAddress: (() => void) | undefined
}

/** Names and values of header fields together: Node leaves out what goes beyond. */
const MAX_RAW_HEADERS = 2000
const TOO_MANY_HEADERS = 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * Owns every socket that Node hands out by its `upgrade` event, until the socket is a WebSocket connection, speaks plain HTTP again,
 * or is closed [P54]. Node neither ends such a socket nor knows it as one of the server's connections.
 */
export default fp(async (app, { limits }: UpgradesDeps) => {
  const upgrades = createUpgrades(app.server, limits, error => app.log.error({ err: error }, 'an upgrade failed'))
  app.decorate('upgrades', upgrades)
  app.server.on('upgrade', upgrades.accept)
  app.addHook('onRequest', async (request, reply) => upgrades.begin(request, reply))
}, { name: 'upgrades' })

function createUpgrades (server: Server, limits: UpgradesDeps['limits'], onFault: (error: unknown) => void) {
  const pending = new Map<Socket, Pending>()
  /** Emits `upgrade`, as a server does, for those that may become WebSocket connections. */
  const handshakes = new EventEmitter()
  let isClosed = false

  async function serve (request: IncomingMessage, socket: Socket, rest: Buffer): Promise<void> {
    for (let answer = answerUnderWay(socket); answer; answer = answerUnderWay(socket)) await isOut(answer)
    // The answer that left last has set the time that a connection may be idle between two requests.
    socket.setTimeout(0)
    if (!socket.writable) {
      socket.destroy()
    } else if (isHandshake(request)) {
      // ws knows the header with this value only, not as one of a list.
      request.headers.upgrade = 'websocket'
      handshakes.emit('upgrade', request, socket, rest)
    } else if (request.rawHeaders.length >= MAX_RAW_HEADERS) {
      // Without the header fields that Node has left out it would be another request.
      socket.end(TOO_MANY_HEADERS, () => socket.destroy())
    } else {
      release(socket)
      socket.unshift(Buffer.concat([headWithoutUpgrade(request), rest]))
      server.emit('connection', socket)
    }
  }

  /** The socket has another owner, or is closed. */
  function release (socket: Socket): void {
    const { timer, releaseAddress } = pending.get(socket) ?? {}
    clearTimeout(timer)
    releaseAddress?.()
    pending.delete(socket)
    socket.off('error', ignore).off('close', onClose)
  }

  function onClose (this: Socket): void { release(this) }

  return {
    handshakes,
    release,

    /** Sockets that are owned here. */
    get size (): number { return pending.size },

    /** The server's listener: the socket is owned from here on, and has as long as any request has for its headers. */
    accept (request: IncomingMessage, socket: Socket, rest: Buffer): void {
      if (isClosed) {
        socket.destroy()
        return
      }
      pending.set(socket, {
        timer: setTimeout(() => socket.destroy(), server.headersTimeout),
        releaseAddress: limits?.hold(addressOf({ ip: socket.remoteAddress }))
      })
      socket.on('error', ignore).on('close', onClose)
      serve(request, socket, rest).catch(error => {
        onFault(error)
        socket.destroy()
      })
    },

    /**
     * The request has come to the router, which now judges it by the other connections of its address. If it asks for a WebSocket
     * connection and is answered over HTTP, its connection ends with the answer: its client has no use for it.
     */
    begin (request: FastifyRequest, reply: FastifyReply): void {
      const { socket } = request.raw
      const owned = pending.get(socket)
      owned?.releaseAddress?.()
      if (owned) owned.releaseAddress = undefined
      if (!asksForWebSocket(request.raw)) return
      reply.header('connection', 'close')
      reply.raw.once('finish', () => {
        if (pending.has(socket)) pending.get(socket)!.releaseAddress = limits?.hold(addressOf(request))
        socket.destroySoon()
      })
    },

    /** Ends all that are owned, and each that comes after. */
    close (): void {
      isClosed = true
      for (const socket of pending.keys()) socket.destroy()
    }
  }
}

/** Node's option `shouldUpgradeCallback` from Node 24 on; before, every request with an upgrade comes to the listener. RFC 6455, 4.1. */
export function isHandshake (request: IncomingMessage): boolean {
  return request.method === 'GET' && request.httpVersion === '1.1' && asksForWebSocket(request)
}

/** Node's parser sets the flag; its types do not know. */
export function isUpgrade ({ raw }: FastifyRequest): boolean {
  return (raw as IncomingMessage & { upgrade?: boolean }).upgrade === true
}

function asksForWebSocket ({ headers }: IncomingMessage): boolean {
  return tokensOf(headers.upgrade ?? '').some(isToken('websocket'))
}

/** The answer that has to leave before any other, to a request that came before. Node has no public name for it. */
function answerUnderWay (socket: Socket): ServerResponse | undefined {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
}

function isOut (answer: ServerResponse): Promise<void> {
  return new Promise(resolve => { answer.once('close', resolve) })
}

/** The request's head as it came, but for the `Connection` option that makes it an upgrade: RFC 9110, 7.8, lets a server ignore it. */
function headWithoutUpgrade ({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    const kept = name.toLowerCase() === 'connection' ? tokensOf(value).filter(token => !isToken('upgrade')(token)).join(', ') : value
    head += `${name}: ${kept}\r\n`
  }
  return Buffer.from(`${head}\r\n`, 'latin1')
}

function tokensOf (value: string): string[] {
  return value.split(',').map(token => token.trim())
}

function isToken (name: string): (token: string) => boolean {
  return token => token.toLowerCase() === name
}

/** A reset of the connection: its `close` follows. */
function ignore (): void {}
