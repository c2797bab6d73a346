import { createConnections, type Connection, type Frame } from '../src/testing/connection.ts'
import type { Scope } from '../src/testing/scope.ts'
import { checkFrame, isKnownRefusal } from './frames.ts'

export type { Frame } from '../src/testing/connection.ts'
export type Client = Connection

/** Creates WebSocket clients of the server on this port, which check each frame against its schema. They close when the test ends. */
export function createClients (t: Scope, port: number) {
  return createConnections(t, port, { frame, reply })
}

function frame (json: string): void {
  const fault = checkFrame(json)
  if (fault) throw new Error(`a frame is not what its schema says: ${JSON.stringify(fault)}`)
}

function reply (request: object, { type, code }: Frame): void {
  if (type !== 'error' || isKnownRefusal(request, code)) return
  throw new Error(`${code}: the row of the request does not name this error, which answered ${JSON.stringify(request)}`)
}
