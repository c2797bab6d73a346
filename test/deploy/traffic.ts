import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Client } from '../client.ts'
import type { Server } from '../helper.ts'
import type { Test } from '../tap.ts'

/** Counts the upgrades that reach a server, refused ones included. @returns a function that returns their number so far. */
export function countUpgrades ({ app }: Pick<Server, 'app'>): () => number {
  let count = 0
  app.server.on('upgrade', () => { count++ })
  return () => count
}

/** Counts the pings that reach a client. @returns a function that returns their number so far. */
export function countPings (socket: Client['socket']): () => number {
  let count = 0
  socket.on('ping', () => { count++ })
  return () => count
}

/**
 * Makes a REST call from `localAddress`, an address of this machine. With the header `expect: 100-continue`, the body is sent once the
 * other side asks for it. @returns status, headers and body, which is JSON or empty.
 */
export async function ask (port: number, path: string, { localAddress = '127.0.0.1', ...options }: {
  method?: string, headers?: Record<string, string>, body?: string, localAddress?: string
} = {}) {
  const { body, ...rest } = options
  const outgoing = httpRequest({ port, host: '127.0.0.1', path, localAddress, ...rest })
  if (rest.headers?.expect) outgoing.once('continue', () => outgoing.end(body)).flushHeaders()
  else outgoing.end(body)
  const [response] = await once(outgoing, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  outgoing.destroy()
  const text = String(Buffer.concat(chunks))
  return { status: response.statusCode as number, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

/** Tests that a proxy passes the largest frame, and the code of the close that one more byte causes [P4]. This ends the client. */
export async function passesLargestFrame (t: Test, client: Client, proxy: string): Promise<void> {
  const pad = 'x'.repeat(65_536 - JSON.stringify({ type: 'heartbeat', pad: '' }).length)
  client.send({ type: 'heartbeat', pad })
  t.ok(await client.expect('heartbeat_ack'), '[P4] a frame of 64 KiB passes')
  const ended = client.closed()
  client.send({ type: 'heartbeat', pad: `${pad}x` })
  t.match(await ended, { code: 1009, reason: 'message too big' }, `${proxy} passes on close codes`)
}
