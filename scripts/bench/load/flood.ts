import { connect } from 'node:net'
import { clientFrame, textFrame } from './frames.ts'

/** What one flood is: read from the environment as JSON. */
export interface FloodPlan {
  port: number
  connections: number
  kind: FloodKind
  /** Empty: the connections do not authenticate. */
  token: string
}

export type FloodKind = 'nested' | 'pings' | 'pongs' | 'lists'

/** Bytes of a write of small frames. */
const WRITE_SIZE = 65_536
/** Before another connection takes the place of one that was closed, in milliseconds. */
const RETURN_MS = 100

const nested = (size: number): string => JSON.stringify({ type: 'channel_list', x: Array.from({ length: size / 3 }, () => []) })
const repeat = (frame: Buffer): Buffer => Buffer.concat(Array.from({ length: Math.ceil(WRITE_SIZE / frame.length) }, () => frame))
const writes: Record<FloodKind, () => Buffer> = {
  nested: () => repeat(textFrame(nested(8000))),
  pings: () => repeat(clientFrame(0x9, Buffer.alloc(0))),
  pongs: () => repeat(clientFrame(0xa, Buffer.alloc(0))),
  lists: () => textFrame(nested(65_000))
}

/** A process that writes to a server as fast as it is read, and comes back whenever it is closed. */
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
