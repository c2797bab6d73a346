import { createConnections, type Connection } from '../src/testing/connection.ts'
import type { Scope } from '../src/testing/scope.ts'
import { checkFrame } from './frames.ts'

export type { Frame } from '../src/testing/connection.ts'
export type Client = Connection

/** Creates WebSocket clients of the server on this port, which check each frame against its schema. They close when the test ends. */
export function createClients (t: Scope, port: number) {
  return createConnections(t, port, checkFrame)
}
