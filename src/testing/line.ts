import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Scope } from './scope.ts'

interface Wire { client: Socket, server: Socket, isStalled: boolean, isWebSocket: boolean }

/** How the upgrade to a WebSocket begins. Browsers open a connection for each. */
const UPGRADE = 'GET /websocket'

/** A TCP proxy to the server on this port of `host` that misbehaves as networks do. */
export async function startLine (scope: Scope, target: number, host = '127.0.0.1') {
  const wires = new Set<Wire>()
  const state = { target, delay: 0, isDown: false }

  function pass (wire: Wire, from: Socket, to: Socket): void {
    from.on('error', () => {})
    from.on('data', (data: Buffer) => {
      if (from === wire.client && data.subarray(0, UPGRADE.length).toString() === UPGRADE) wire.isWebSocket = true
      if (wire.isStalled) return
      if (state.delay > 0) setTimeout(() => to.write(data), state.delay)
      else to.write(data)
    })
    // A browser that ends a page or a worker ends its half of the connection only, and waits for the server's.
    from.on('end', () => { if (!wire.isStalled) to.end() })
    from.on('close', () => {
      wires.delete(wire)
      to.destroy()
    })
  }

  const line = createServer({ allowHalfOpen: true }, client => {
    if (state.isDown) return client.destroy()
    const wire = { client, server: connect(state.target, host), isStalled: false, isWebSocket: false }
    wires.add(wire)
    pass(wire, client, wire.server)
    pass(wire, wire.server, client)
  }).listen(0, '127.0.0.1')
  await once(line, 'listening')

  const all = (): boolean => true
  /** Does something to the connections that are chosen. */
  const each = (chosen: () => boolean, act: (wire: Wire) => void): void => { for (const wire of [...wires]) if (chosen()) act(wire) }
  const cut = (chosen = all): void => each(chosen, ({ client, server }) => {
    client.destroy()
    server.destroy()
  })
  scope.teardown(() => {
    cut()
    line.close()
  })

  const { port } = line.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Number of WebSocket connections that are open. */
    get sockets () { return [...wires].filter(({ isWebSocket }) => isWebSocket).length },
    /** Ends the connections that are chosen, without an argument all. */
    cut,
    /** Swallows all bytes of the connections that are chosen, in both directions, and leaves them open. */
    stall: (chosen = all): void => each(chosen, wire => { wire.isStalled = true }),
    /** Tells the clients that the server has nothing more to say, and does not tell the server. */
    halfClose: (chosen = all): void => each(chosen, ({ client }) => client.end()),
    /** Delays everything by so many milliseconds from now on. */
    delay (ms: number): void { state.delay = ms },
    /** Refuses new connections, or no longer. */
    down (isDown: boolean): void { state.isDown = isDown },
    leadTo (port: number): void { state.target = port }
  }
}

export type Line = Awaited<ReturnType<typeof startLine>>
