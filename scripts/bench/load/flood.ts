// A process that floods a server: it writes as fast as the server reads, and reconnects whenever a connection is closed.
import { connect } from 'node:net'
import { clientFrame, textFrame } from './frames.ts'

/** The plan of a flood. The environment variable FLOOD holds it as JSON. */
export interface FloodPlan {
  port: number
  connections: number
  kind: FloodKind
  /** The access token; empty if the connections do not authenticate. */
  token: string
}

export type FloodKind = 'nested' | 'pings' | 'pongs' | 'lists'

/** Bytes per write. Small frames are repeated to fill a write. */
const WRITE_SIZE = 65_536
/** Milliseconds until a closed connection is replaced. */
const RETURN_MS = 100

const nested = (size: number): string => JSON.stringify({ type: 'channel_list', x: Array.from({ length: size / 3 }, () => []) })
const repeat = (frame: Buffer): Buffer => Buffer.concat(Array.from({ length: Math.ceil(WRITE_SIZE / frame.length) }, () => frame))
const writes: Record<FloodKind, () => Buffer> = {
  nested: () => repeat(textFrame(nested(8000))),
  pings: () => repeat(clientFrame(0x9, Buffer.alloc(0))),
  pongs: () => repeat(clientFrame(0xa, Buffer.alloc(0))),
  lists: () => textFrame(nested(65_000))
}

const plan = JSON.parse(process.env.FLOOD ?? '') as FloodPlan
const bytes = writes[plan.kind]()
for (let i = 0; i < plan.connections; i++) flood()
console.log('flooding')

function flood (): void {
  const socket = connect(plan.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.on('close', () => setTimeout(flood, RETURN_MS))
  socket.on('data', () => {})
  socket.write([
    'GET /websocket HTTP/1.1', 'Host: 127.0.0.1', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: cGFybGV5LWJlbmNobWFyaw==', '\r\n'].join('\r\n'))
  if (plan.token !== '') socket.write(textFrame(JSON.stringify({ type: 'authenticate', token: plan.token })))
  const write = (): void => { while (!socket.destroyed && socket.write(bytes)); }
  socket.on('connect', write).on('drain', write)
}
