import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Scope } from './helper.ts'

/** Where bytes vanish: on the way to the server, on the way to the client, or both. */
export type Direction = 'to server' | 'to client' | 'both'

export type ProxiedConnection = ReturnType<typeof forward>

/** Bytes of each connection that are kept to tell what it is used for. */
const KEPT = 4096

/**
 * A TCP proxy on 127.0.0.1 that can swallow the bytes of single connections and keep them open: so a network partition looks from both
 * ends. It forwards new connections to `target`, which `leadTo` changes; connections that are open keep theirs.
 */
export async function startBlackhole (scope: Scope, target: number) {
  const connections: ProxiedConnection[] = []
  const state = { targets: [target], swallowsNew: false }
  const server = createServer(client => {
    const [port = target, ...further] = state.targets
    if (further.length > 0) state.targets = further
    const connection = forward(client, port)
    connections.push(connection)
    if (state.swallowsNew) connection.swallow('both')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = (): void => {
    for (const connection of connections) connection.end()
  }
  scope.teardown(() => {
    end()
    server.close()
  })

  return {
    port: (server.address() as AddressInfo).port,
    /** The connections that the client has not ended, oldest first. */
    get open () { return connections.filter(({ ended }) => !ended) },
    /** Number of connections so far. */
    get accepted () { return connections.length },
    /** Forwards the next connections to these ports in order, and all further ones to the last of them. */
    leadTo (...ports: number[]): void { state.targets = ports },
    /** Swallows new connections in both directions, or no longer. */
    swallowNew (value: boolean): void { state.swallowsNew = value },
    /** Ends every connection, as a server does that dies. */
    end
  }
}

function forward (client: Socket, port: number) {
  const server = connect(port, '127.0.0.1')
  let swallowed: Direction | undefined
  let said = ''
  const pass = (from: Socket, to: Socket, direction: Direction): void => {
    from.on('error', () => {})
    from.on('data', (data: Buffer) => { if (swallowed !== 'both' && swallowed !== direction) to.write(data) })
    // A partition hides the end of a connection too.
    from.on('close', () => { if (swallowed === undefined) to.destroy() })
  }
  client.on('data', (data: Buffer) => { if (said.length < KEPT) said += data.toString('latin1') })
  pass(client, server, 'to server')
  pass(server, client, 'to client')
  return {
    /** The first bytes that the client has sent. */
    get said () { return said },
    get ended () { return client.destroyed },
    swallow (direction: Direction): void { swallowed = direction },
    end (): void {
      client.destroy()
      server.destroy()
    }
  }
}
