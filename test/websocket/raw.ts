import { connect } from 'node:net'
import type { Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import type { Scope } from '../helper.ts'

/** The opcodes of RFC 6455, section 5.2. */
export const opcode = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa }

export interface FrameShape {
  fin?: boolean
  /** The three reserved bits, 0–7. */
  rsv?: number
  masked?: boolean
  /** The length that the head of the frame claims, if it differs from the length of the payload. */
  declared?: bigint
}

/** Encodes a frame of a client. `shape` can make the frame invalid. */
export function frame (code: number, payload: Buffer | string = '', shape: FrameShape = {}): Buffer {
  const { fin = true, rsv = 0, masked = true, declared } = shape
  const body = Buffer.from(payload)
  const length = declared ?? BigInt(body.length)
  const mask = Buffer.from(masked ? [0x12, 0x34, 0x56, 0x78] : [])
  if (masked) for (let i = 0; i < body.length; i++) body[i]! ^= mask[i % 4]!
  const first = (fin ? 0x80 : 0) | rsv << 4 | code
  return Buffer.concat([Buffer.from([first]), lengthField(length, masked), mask, body])
}

function lengthField (length: bigint, masked: boolean): Buffer {
  const bit = masked ? 0x80 : 0
  if (length < 126n) return Buffer.from([bit | Number(length)])
  const field = Buffer.alloc(length < 65_536n ? 3 : 9)
  field[0] = bit | (field.length === 3 ? 126 : 127)
  if (field.length === 3) field.writeUInt16BE(Number(length), 1)
  else field.writeBigUInt64BE(length, 1)
  return field
}

export function text (value: object | string): Buffer {
  return frame(opcode.text, typeof value === 'string' ? value : JSON.stringify(value))
}

/** Writes an upgrade request. A header whose value is undefined is left out. */
export function handshake (headers: Record<string, string | undefined> = {}, path = '/websocket'): string {
  const all = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers
  }
  const lines = Object.entries(all).flatMap(([name, value]) => value === undefined ? [] : [`${name}: ${value}\r\n`])
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** Opens a TCP connection and sends these bytes. `received` returns everything that the server has sent so far. */
export function openSocket (t: Scope, port: number, bytes: string | Buffer) {
  const socket = connect({ host: '127.0.0.1', port })
  const chunks: Buffer[] = []
  let ended = false
  socket.on('error', () => {})
  socket.on('close', () => { ended = true })
  socket.on('data', chunk => chunks.push(chunk))
  socket.write(bytes)
  t.teardown(() => socket.destroy())
  return {
    socket,
    received: (): string => Buffer.concat(chunks).toString('latin1'),
    /** Waits for the head of the HTTP answer. @returns the head and its status. */
    async answered (): Promise<{ status: number, head: string }> {
      const head = await eventually(() => /^HTTP\/1\.1 .*?\r\n\r\n/s.exec(this.received())?.[0])
      return { status: Number(head.slice(9, 12)), head }
    },
    ended: (deadline?: number): Promise<true> => eventually(() => ended, deadline)
  }
}

/**
 * Opens a WebSocket connection without a library. It answers neither pings nor close frames.
 * @param first bytes that are sent together with the upgrade request.
 */
export async function connectRaw (t: Scope, port: number, first: Buffer = Buffer.alloc(0), path?: string) {
  const socket = connect({ host: '127.0.0.1', port })
  t.teardown(() => socket.destroy())
  const frames: Array<{ code: number, payload: Buffer }> = []
  const texts: Frame[] = []
  let upgraded = false
  let ended = false
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('close', () => { ended = true })
  socket.on('data', chunk => {
    bytes = Buffer.concat([bytes, chunk])
    if (!upgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) return
      upgraded = true
      bytes = bytes.subarray(end + 4)
    }
    for (let next = readFrame(bytes); next; next = readFrame(bytes)) {
      frames.push(next)
      if (next.code === opcode.text) texts.push(JSON.parse(next.payload.toString()))
      bytes = bytes.subarray(next.size)
    }
  })
  socket.write(Buffer.concat([Buffer.from(handshake({}, path)), first]))
  await eventually(() => upgraded || ended)

  return {
    socket,
    frames,
    write: (...parts: Buffer[]): boolean => socket.write(Buffer.concat(parts)),
    /** The text frames that have arrived so far. */
    texts: (): Frame[] => texts,
    /** Waits for `count` replies that have a `ref`. @returns all replies with a `ref`, in order of arrival. */
    async replies (count: number, deadline?: number): Promise<Frame[]> {
      const withRef = (): Frame[] => texts.filter(({ ref }) => ref !== undefined)
      await eventually(() => withRef().length >= count || ended, deadline)
      return withRef()
    },
    /** Waits for the server's close frame. @returns its code and reason, or code 1006 if the connection ends without one. */
    async closed (deadline?: number): Promise<{ code: number, reason: string }> {
      await eventually(() => frames.at(-1)?.code === opcode.close || ended, deadline)
      const { code, payload } = frames.at(-1) ?? { code: 0, payload: Buffer.alloc(0) }
      if (code !== opcode.close) return { code: 1006, reason: '' }
      return { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() }
    },
    ended: (deadline?: number): Promise<true> => eventually(() => ended, deadline)
  }
}

/** Decodes the first frame of the server in `bytes`, or nothing if it is incomplete. `size` is the length of the whole frame. */
function readFrame (bytes: Buffer): { code: number, payload: Buffer, size: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 0x7f
  const head = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < head) return undefined
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < head + length) return undefined
  return { code: bytes[0]! & 0x0f, payload: bytes.subarray(head, head + length), size: head + length }
}
