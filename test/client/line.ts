import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Scope } from '../helper.ts'

interface Wire { client: Socket, server: Socket, isStalled: boolean, isWebSocket: boolean }

/** How the upgrade to a WebSocket begins. Browsers open a connection for each. */
const UPGRADE = 'GET /websocket'

/** A TCP proxy to a server on 127.0.0.1 that misbehaves as networks do. */
export async function startLine (scope: Scope, target: number) {
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
    from.on('close', () => {
      wires.delete(wire)
      to.destroy()
    })
  }

  const line = createServer({ allowHalfOpen: true }, client => {
    if (state.isDown) return client.destroy()
    const wire = { client, server: connect(state.target, '127.0.0.1'), isStalled: false, isWebSocket: false }
    wires.add(wire)
    pass(wire, client, wire.server)
    pass(wire, wire.server, client)
  }).listen(0, '127.0.0.1')
  await once(line, 'listening')

  const each = (act: (wire: Wire) => void): void => { for (const wire of [...wires]) act(wire) }
  const cut = (): void => each(({ client, server }) => {
    client.destroy()
    server.destroy()
  })
  scope.teardown(() => {
    cut()
    line.close()
  })

  return {
    url: `http://127.0.0.1:${(line.address() as AddressInfo).port}`,
    /** Number of WebSocket connections that are open. */
    get sockets () { return [...wires].filter(({ isWebSocket }) => isWebSocket).length },
    /** Ends all connections. */
    cut,
    /** Ends some of the connections, as `chosen` says. */
    cutSome (chosen: () => boolean): void {
      each(({ client, server }) => {
        if (!chosen()) return
        client.destroy()
        server.destroy()
      })
    },
    /** Swallows all bytes of the connections that are open, in both directions, and leaves them open. */
    stall (): void { each(wire => { wire.isStalled = true }) },
    /** Tells the clients that the server has nothing more to say, and does not tell the server. */
    halfClose (): void { each(({ client }) => client.end()) },
    /** Delays everything by so many milliseconds from now on. */
    delay (ms: number): void { state.delay = ms },
    /** Refuses new connections, or no longer. */
    down (isDown: boolean): void { state.isDown = isDown },
    leadTo (port: number): void { state.target = port }
  }
}

export type Line = Awaited<ReturnType<typeof startLine>>
