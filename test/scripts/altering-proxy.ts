import { once } from 'node:events'
import http from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import WebSocket, { WebSocketServer, type RawData } from 'ws'
import type { Frame } from '../client.ts'
import type { Scope } from '../helper.ts'

/** A connection of a client through the proxy. */
export interface Link {
  /** The id of the user, once the connection is authenticated. */
  userId: string | undefined
  /** The frames that the client has sent with a `ref`, by that. */
  asked: Map<unknown, Frame>
  /** Sends a frame to the client. */
  tell (frame: Frame): void
}

/** How a proxy alters what passes through it. Without a function, things pass as they are. */
export interface Alteration {
  /** Alters a frame of the server. @returns the frames that the client gets instead. */
  down? (frame: Frame, link: Link, links: Set<Link>): Frame[]
  /** Alters a frame of the client. */
  up? (frame: Frame, link: Link): Frame
  /** Alters the code and the reason of a close frame of the server. */
  close? (code: number, reason: string): [number, string]
  /** Alters the headers of an upgrade. */
  headers? (headers: http.IncomingHttpHeaders): http.IncomingHttpHeaders
  /** Alters an answer of REST. */
  rest? (path: string, status: number, text: string): { status: number, text: string }
}

/** Starts a proxy before the server on this port. `address`: the client's address that the server is told. @returns the proxy's port. */
export async function startAlteringProxy (t: Scope, port: number, address: string, alteration: Alteration): Promise<number> {
  const links = new Set<Link>()
  const sockets = new Set<Socket>()
  const acceptor = new WebSocketServer({ noServer: true, handleProtocols: () => false })
  const told = (headers: http.IncomingHttpHeaders) => ({ ...headers, 'x-forwarded-for': address })

  const server = http.createServer((request, response) => {
    const { method, url: path = '' } = request
    const upstream = http.request({ port, host: '127.0.0.1', method, path, headers: told(request.headers) }, async answer => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      const altered = alteration.rest?.(path, answer.statusCode!, text) ?? { status: answer.statusCode!, text }
      const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers
      response.writeHead(altered.status, headers).end(altered.text)
    })
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })

  server.on('upgrade', (request, socket, head) => {
    const isWebSocket = request.method === 'GET' && request.headers.upgrade === 'websocket'
    if (!isWebSocket) return passOn(request, socket as Socket, head)
    const headers = alteration.headers?.(request.headers) ?? request.headers
    const { origin, 'sec-websocket-protocol': protocols } = headers
    const upstream = new WebSocket(`ws://127.0.0.1:${port}${request.url}`, protocols?.split(',').map(name => name.trim()) ?? [], {
      headers: { 'x-forwarded-for': address, host: headers.host, ...origin && { origin } }
    })
    upstream.on('error', () => {})
    upstream.on('unexpected-response', (_request, answer) => {
      socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      answer.destroy()
    })
    upstream.once('open', () => {
      acceptor.options.handleProtocols = () => upstream.protocol || false
      acceptor.handleUpgrade(request, socket, head, client => join(client, upstream))
    })
  })

  /** Passes an upgrade to another protocol on as it is. */
  function passOn (request: http.IncomingMessage, socket: Socket, head: Buffer): void {
    const upstream = connect(port, '127.0.0.1')
    const lines = request.rawHeaders.flatMap((name, i, all) => i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : [])
    upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    upstream.write(head)
    upstream.pipe(socket).pipe(upstream)
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
  }

  function join (client: WebSocket, upstream: WebSocket): void {
    const link: Link = { userId: undefined, asked: new Map(), tell: frame => client.send(JSON.stringify(frame)) }
    links.add(link)
    upstream.on('message', data => {
      const frame = JSON.parse(String(data)) as Frame
      if (frame.action === 'authenticated') link.userId = frame.data.user_id
      for (const each of alteration.down?.(frame, link, links) ?? [frame]) link.tell(each)
    })
    client.on('message', (data, isBinary) => upstream.send(isBinary ? data : upward(data, link), { binary: isBinary }))
    upstream.on('close', (code, reason) => {
      links.delete(link)
      const [shown, text] = alteration.close?.(code, String(reason)) ?? [code, String(reason)]
      if (shown === 1005 || shown === 1006) client.terminate()
      else client.close(shown, text)
    })
    client.on('close', () => upstream.terminate()).on('error', () => {})
  }

  /** Frames that are no JSON objects pass as they are. */
  function upward (data: RawData, link: Link): string {
    const text = String(data)
    try {
      const frame = JSON.parse(text) as Frame
      if (frame.ref !== undefined) link.asked.set(frame.ref, frame)
      const altered = alteration.up?.(frame, link)
      return altered === undefined || altered === frame ? text : JSON.stringify(altered)
    } catch {
      return text
    }
  }

  // Longer than a run, so that no client meets the end of a connection that it is about to use again.
  server.keepAliveTimeout = 600_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
