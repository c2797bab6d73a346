import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Scope } from '../helper.ts'

const TICK_MS = 20

/** Starts a proxy to the server on this port that passes on at most `bytesPerSecond` to the client. @returns the port of the proxy. */
export async function openThrottledLine (t: Scope, port: number, bytesPerSecond: number): Promise<number> {
  const line = createServer(client => {
    const server = connect(port, '127.0.0.1')
    client.on('error', () => {}).pipe(server)
    server.on('error', () => {}).on('close', () => client.destroy())
    client.on('close', () => server.destroy())
    carry(server, client, bytesPerSecond)
  })
  line.listen(0, '127.0.0.1')
  await once(line, 'listening')
  t.teardown(() => { line.close() })
  return (line.address() as { port: number }).port
}

function carry (from: Socket, to: Socket, bytesPerSecond: number): void {
  let due = performance.now()
  from.on('data', chunk => {
    from.pause()
    due = Math.max(due, performance.now() - TICK_MS)
    const step = (rest: Buffer): void => {
      const most = Math.max(0, Math.floor((performance.now() - due) * bytesPerSecond / 1000))
      const part = rest.subarray(0, most)
      if (part.length > 0) to.write(part)
      due += part.length / bytesPerSecond * 1000
      if (part.length < rest.length) setTimeout(step, TICK_MS, rest.subarray(part.length))
      else from.resume()
    }
    step(chunk)
  })
}
