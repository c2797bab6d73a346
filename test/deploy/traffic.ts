import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Server } from '../helper.ts'

/** Counts the upgrades that reach a server, refused ones included. @returns a function that returns their number so far. */
export function countUpgrades ({ app }: Pick<Server, 'app'>): () => number {
  let count = 0
  app.server.on('upgrade', () => { count++ })
  return () => count
}

/** Makes a REST call from `localAddress`, an address of this machine. @returns status, headers and body, which is JSON or empty. */
export async function ask (port: number, path: string, { localAddress = '127.0.0.1', ...options }: {
  method?: string, headers?: Record<string, string>, body?: string, localAddress?: string
} = {}) {
  const { body, ...rest } = options
  const outgoing = httpRequest({ port, host: '127.0.0.1', path, localAddress, ...rest }).end(body)
  const [response] = await once(outgoing, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const text = String(Buffer.concat(chunks))
  return { status: response.statusCode as number, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}
