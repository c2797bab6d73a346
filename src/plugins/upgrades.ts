import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Limits } from '../connections/limits.ts'
import { addressOf } from './address.ts'

declare module 'fastify' {
  interface FastifyInstance { upgrades: ReturnType<typeof createUpgrades> }
}

export interface UpgradesDeps {
  /** Null: no limits. */
  limits: Pick<Limits, 'hold'> | null
}

interface Pending {
  /** Destroys the socket if its upgrade takes too long. */
  timer: NodeJS.Timeout
  /** Stops counting the socket among the connections of its address. */
  releaseAddress: (() => void) | undefined
  /** Set once the router has the request, if it is a WebSocket handshake: the bytes that came after it. */
  rest: Buffer | undefined
}

/** Upgrades an ordinary handshake that nothing speaks against, and returns true. For any other request it only returns false. */
export type Upgrade = (request: IncomingMessage, socket: Socket, rest: Buffer) => boolean

/** Header names and values, counted together, that Node keeps. It leaves out further ones. */
const MAX_RAW_HEADERS = 2000
const TOO_MANY_HEADERS = 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * Owns every socket that Node passes to the `upgrade` event, until it becomes a WebSocket connection, speaks plain HTTP again, or is
 * closed [P54]. Node neither closes such a socket nor counts it among the server's connections.
 */
export default fp(async (app, { limits }: UpgradesDeps) => {
  const upgrades = createUpgrades(app, limits)
  app.decorate('upgrades', upgrades)
  app.server.on('upgrade', upgrades.accept)
  app.addHook('onRequest', async (request, reply) => upgrades.begin(request, reply))
}, { name: 'upgrades' })

function createUpgrades (app: FastifyInstance, limits: UpgradesDeps['limits']) {
  const { server } = app
  const pending = new Map<Socket, Pending>()
  let upgradeAtOnce: Upgrade = () => false
  let isClosed = false

  async function serve (request: IncomingMessage, socket: Socket, rest: Buffer): Promise<void> {
    for (let answer = answerUnderWay(socket); answer; answer = answerUnderWay(socket)) await isOut(answer)
    // The answer to the previous request has set a timeout for the idle connection.
    socket.setTimeout(0)
    if (!socket.writable) {
      socket.destroy()
    } else if (isHandshake(request)) {
      // ws accepts only this value of the header, not a list that contains it.
      request.headers.upgrade = 'websocket'
      route(request, socket, rest)
    } else if (request.rawHeaders.length >= MAX_RAW_HEADERS) {
      // Node has left out header fields, so passing the request on would change it.
      socket.end(TOO_MANY_HEADERS, () => socket.destroy())
    } else {
      release(socket)
      socket.unshift(Buffer.concat([headWithoutUpgrade(request), rest]))
      server.emit('connection', socket)
    }
  }

  /** Has the router find out what to do with a handshake. Most that get here are refused. */
  function route (request: IncomingMessage, socket: Socket, rest: Buffer): void {
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    pending.get(socket)!.rest = rest
    app.routing(request, response)
  }

  function fail (socket: Socket, error: unknown): void {
    app.log.error({ err: error }, 'an upgrade failed')
    socket.destroy()
  }

  /** Gives up a socket because it has another owner or is closed. */
  function release (socket: Socket): void {
    const owned = pending.get(socket)
    if (!owned) return
    clearTimeout(owned.timer)
    owned.releaseAddress?.()
    pending.delete(socket)
    socket.off('error', ignore).off('close', onClose)
  }

  function onClose (this: Socket): void { release(this) }

  return {
    /** Has ordinary handshakes upgraded by this function, before anything else is done with them. */
    upgradeBy (upgrade: Upgrade): void { upgradeAtOnce = upgrade },
    release,

    /** The bytes that came after the handshake that the router has got from this socket; undefined if the request is no handshake. */
    restOf: (socket: Socket): Buffer | undefined => pending.get(socket)?.rest,

    /** Number of sockets that are owned here. */
    get size (): number { return pending.size },

    /** Listener of the server's `upgrade` event. Takes over the socket, which has as long as any request has to send its headers. */
    accept (request: IncomingMessage, socket: Socket, rest: Buffer): void {
      if (isClosed) {
        socket.destroy()
        return
      }
      try {
        // The way through the router costs as much as the rest of the upgrade.
        if (answerUnderWay(socket) === undefined && upgradeAtOnce(request, socket, rest)) return
      } catch (error) {
        return fail(socket, error)
      }
      pending.set(socket, {
        timer: setTimeout(() => socket.destroy(), server.headersTimeout),
        releaseAddress: limits?.hold(addressOf({ ip: socket.remoteAddress })),
        rest: undefined
      })
      socket.on('error', ignore).on('close', onClose)
      serve(request, socket, rest).catch(error => fail(socket, error))
    },

    /**
     * Called when the router has the request and will check the limits of its address; from here on the socket does not count towards
     * them. If a request for a WebSocket connection gets an HTTP answer, the connection ends, because its client has no other use for it.
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

    /** Destroys all sockets that are owned here, and every one that comes later. */
    close (): void {
      isClosed = true
      for (const socket of pending.keys()) socket.destroy()
    }
  }
}

/** Whether a request is a WebSocket handshake (RFC 6455, 4.1). */
function isHandshake (request: IncomingMessage): boolean {
  return request.method === 'GET' && request.httpVersion === '1.1' && asksForWebSocket(request)
}

/** Whether the request asks for an upgrade. Node's parser sets the flag, but Node's types lack it. */
export function isUpgrade ({ raw }: FastifyRequest): boolean {
  return (raw as IncomingMessage & { upgrade?: boolean }).upgrade === true
}

function asksForWebSocket ({ headers }: IncomingMessage): boolean {
  return tokensOf(headers.upgrade ?? '').some(isToken('websocket'))
}

/** The answer to an earlier request of the same socket, which has to be sent first. Node has no public name for it. */
function answerUnderWay (socket: Socket): ServerResponse | undefined {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
}

function isOut (answer: ServerResponse): Promise<void> {
  return new Promise(resolve => { answer.once('close', resolve) })
}

/** The head of the request without the `Connection` option `upgrade`. RFC 9110, 7.8, lets a server ignore an upgrade. */
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

/** Ignores a reset of the connection: the event `close` follows. */
function ignore (): void {}
