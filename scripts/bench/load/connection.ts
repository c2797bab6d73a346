import { connect, type OnReadOpts, type Socket } from 'node:net'
import type { Dialect, Step } from './dialects.ts'
import { pongFrame, textFrame } from './frames.ts'

export interface Target {
  port: number
  dialect: Dialect
  token: string
  /** The channel that the connection publishes to. */
  channel: string
  /** Further channels that it joins. */
  otherChannels: string[]
  /** The local address of the connection; undefined lets the system choose it. */
  localAddress: string | undefined
}

/** Receives the events of all connections and counts deliveries. */
export interface Sink {
  deliveries: number
  /** A delivery on a watched connection; its bytes are between `from` and `to`. */
  delivered (connection: Connection, bytes: Buffer, from: number, to: number): void
  acked (connection: Connection, bytes: Buffer, from: number, to: number): void
  /** All frames of one read have been reported. */
  settled (connection: Connection): void
  failed (connection: Connection, why: string): void
}

const UPGRADE_END = '\r\n\r\n'
const CLOSE = 0x8
const PING = 0x9

/** All sockets read into one shared buffer in turn. The headroom in front of it takes the incomplete frame of the previous read. */
const HEADROOM = 128 * 1024
const READ_SIZE = 256 * 1024
const memory = Buffer.allocUnsafeSlow(HEADROOM + READ_SIZE)
const readBuffer = memory.subarray(HEADROOM)
const nothing = Buffer.alloc(0)

/** One client: it connects, takes the steps of its dialect (authenticate, join), then counts deliveries by reading only frame headers. */
export class Connection {
  readonly target: Target
  /** If true, each delivery is reported to the sink; if false, deliveries are only counted. */
  watched = false
  readonly #sink: Sink
  readonly #socket: Socket
  readonly #steps: Step[]
  readonly #ready: () => void
  #step = 0
  #upgraded = false
  #ended = false
  #carry = nothing
  #carried = 0

  constructor (target: Target, sink: Sink, ready: () => void) {
    this.target = target
    this.#sink = sink
    this.#ready = ready
    this.#steps = target.dialect.steps(target.token, [target.channel, ...target.otherChannels])
    const { port, dialect, localAddress } = target
    const onread: OnReadOpts = { buffer: readBuffer, callback: length => { this.#read(length); return true } }
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread, ...localAddress !== undefined && { localAddress } })
    this.#socket.on('error', error => this.#fail(error.message))
    this.#socket.on('close', () => this.#fail('the server ended the connection'))
    this.#socket.write([
      `GET ${dialect.path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: cGFybGV5LWJlbmNobWFyaw==', UPGRADE_END].join('\r\n').slice(0, -2))
  }

  get #introduced (): boolean { return this.#step === this.#steps.length }

  write (frames: Buffer): void {
    this.#socket.write(frames)
  }

  /** Ends the connection without a close frame, like a network failure. */
  drop (): void {
    this.#ended = true
    this.#socket.resetAndDestroy()
  }

  #read (length: number): void {
    if (this.#ended) return
    const end = HEADROOM + length
    let at = HEADROOM - this.#carried
    if (this.#carried > 0) this.#carry.copy(memory, at, 0, this.#carried)
    if (!this.#upgraded) at = this.#readUpgrade(at, end)
    if (this.#upgraded) at = this.#walk(at, end)
    this.#keep(at, end)
    this.#sink.settled(this)
  }

  #readUpgrade (from: number, to: number): number {
    const text = memory.toString('latin1', from, to)
    const end = text.indexOf(UPGRADE_END)
    if (end === -1) return from
    if (!text.startsWith('HTTP/1.1 101 ')) {
      this.#fail(text.slice(0, text.indexOf('\r\n')))
      return to
    }
    this.#upgraded = true
    this.#speak()
    return from + end + UPGRADE_END.length
  }

  /** Handles all complete frames. @returns where the incomplete frame at the end begins. */
  #walk (from: number, to: number): number {
    const { dialect: { kindAt, delivery } } = this.target
    const counts = this.#introduced && !this.watched
    let deliveries = 0
    let at = from
    while (to - at >= 2) {
      let length = memory[at + 1]!
      let payload = at + 2
      if (length === 126) {
        if (to - at < 4) break
        length = memory[at + 2]! << 8 | memory[at + 3]!
        payload = at + 4
      } else if (length === 127) {
        if (to - at < 10) break
        length = Number(memory.readBigUInt64BE(at + 2))
        payload = at + 10
      }
      const next = payload + length
      if (next > to) break
      if (counts && memory[at] === 0x81 && length > kindAt && memory[payload + kindAt] === delivery) deliveries++
      else this.#frame(memory[at]! & 0xf, payload, next)
      at = next
    }
    this.#sink.deliveries += deliveries
    return at
  }

  #frame (opcode: number, from: number, to: number): void {
    const { dialect } = this.target
    if (opcode === PING) return this.write(pongFrame(memory.subarray(from, to)))
    if (opcode === CLOSE) {
      const code = to - from < 2 ? 1005 : memory.readUInt16BE(from)
      return this.#fail(`closed with ${code} ${memory.toString('latin1', from + 2, to)}`)
    }
    if (to - from === 1 && dialect.pong !== undefined) return this.write(textFrame(dialect.pong))
    const kind = memory[from + dialect.kindAt]
    if (!this.#introduced) return this.#introduce(memory.toString('latin1', from, to))
    if (kind === dialect.delivery) {
      this.#sink.deliveries++
      this.#sink.delivered(this, memory, from, to)
    } else if (kind === dialect.ack) {
      this.#sink.acked(this, memory, from, to)
    } else if (memory.toString('latin1', from, from + dialect.refusal.length) === dialect.refusal) {
      this.#fail(memory.toString('latin1', from, to))
    }
  }

  #introduce (text: string): void {
    if (text.startsWith(this.target.dialect.refusal)) return this.#fail(text)
    if (!text.startsWith(this.#steps[this.#step]!.expect)) return
    this.#step++
    if (this.#introduced) this.#ready()
    else this.#speak()
  }

  #speak (): void {
    const { say } = this.#steps[this.#step]!
    if (say !== undefined) this.write(textFrame(say))
  }

  #keep (from: number, to: number): void {
    const length = this.#carried = to - from
    if (length === 0) return
    if (length > HEADROOM) return this.#fail(`a frame of more than ${HEADROOM} bytes`)
    if (this.#carry.length < length) this.#carry = Buffer.allocUnsafeSlow(Math.max(1024, length))
    memory.copy(this.#carry, 0, from, to)
  }

  #fail (why: string): void {
    if (this.#ended) return
    this.drop()
    this.#sink.failed(this, why)
  }
}
