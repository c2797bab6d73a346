import { Backlog, type OutboundMemory } from './backlog.ts'
import type { Transport } from './transport.ts'

/** Most bytes of one write, to a socket that keeps up and to one that has fallen behind: smaller writes show its progress better. */
const WRITE_BYTES = 131_072
const SLICE_BYTES = 65_536
/** Bytes after which a ping is sent between the frames: its pong shows how far the client has read. */
const MARK_BYTES = 65_536
/** Bytes of one turn of the event loop up to which a signal is taken. */
const SIGNAL_ROOM = 16_384
/** Bytes per millisecond of the slowest supported line. A ping behind a long frame may take as long as the frame takes on that line. */
const SLOWEST_LINE = 16
/** With more than `maxBuffered` waiting, a client is a slow consumer if its socket takes nothing for this many milliseconds [P52]. */
const STALL_MS = 5000
/** With more than this many times `maxBuffered` waiting, a client is slow after `HARD_STALL_MS` without progress or `STALL_MS` behind. */
const HARD_FACTOR = 16
const HARD_STALL_MS = 1000

export interface OutboxDeps {
  /** Milliseconds of the connections' clock. */
  now (): number
  memory: OutboundMemory
  limits: { maxBuffered: number, pongTimeout: number, heartbeatInterval: number }
}

export interface OutboxOwner {
  /** Called when the socket has taken bytes that waited. */
  drained (): void
}

/**
 * The outgoing frames of one connection. While the socket keeps up, all frames of a turn of the event loop leave in one write; after that
 * they leave in slices, as the socket takes them. Pings between the frames show how far the client has read.
 */
export class Outbox {
  readonly #transport: Transport
  readonly #deps: OutboxDeps
  readonly #owner: OutboxOwner
  /** The frames of the next flush: usually a single buffer, shared by the subscribers of a channel; `#more` has any others. */
  #next: Buffer | null = null
  #more: Buffer[] | null = null
  #bytes = 0
  /** Frames that the socket has not taken; null while it keeps up. */
  #backlog: Backlog | null = null
  /** Bytes written since the last ping. */
  #unmarked = 0
  /** Numbers of the last ping that was sent and of the last ping that was answered. */
  #pinged = 0
  #ponged = 0
  /** Number of pongs that may arrive without counting towards a limit: at most one for each unanswered ping [P53]. */
  #owed = 0
  /** When the oldest unanswered ping was sent, or later: when the client was last seen to read. */
  #waitsSince = 0
  /** The largest number of bytes between an unanswered ping and the ping before it. */
  #gap = 0

  constructor (transport: Transport, deps: OutboxDeps, owner: OutboxOwner) {
    this.#transport = transport
    this.#deps = deps
    this.#owner = owner
  }

  /** Takes finished frames for the next flush. Returns true if they are the first, so that the caller requests a flush. */
  push (frames: Buffer): boolean {
    this.#bytes += frames.length
    if (this.#next === null) {
      this.#next = frames
      return true
    }
    (this.#more ??= []).push(frames)
    return false
  }

  /** Bytes that the operating system has not taken yet. */
  get waiting (): number { return this.#bytes + (this.#backlog?.bytes ?? 0) + this.#transport.buffered }

  /** Whether the socket keeps up, so that a signal can be sent: signals never wait, and never make a client slow [P42]. */
  get takesSignals (): boolean {
    return this.#backlog === null && this.#transport.buffered === 0 && this.#bytes < SIGNAL_ROOM
  }

  /** Bytes that are kept for the socket, when it fell behind, and when it last took any; null while it keeps up. */
  get backlog (): Readonly<Pick<Backlog, 'bytes' | 'since' | 'progressAt'>> | null { return this.#backlog }

  /** Writes the frames pushed in this turn, as far as the socket takes them. The rest follows when the socket takes more. */
  flush (): void {
    if (this.#next === null) return
    if (this.#backlog === null && this.#bytes <= WRITE_BYTES && this.#transport.buffered === 0) {
      const frames = this.#more === null ? this.#next : Buffer.concat([this.#next, ...this.#more], this.#bytes)
      this.#forgetTurn()
      this.#write(frames)
      return
    }
    const backlog = this.#backlog ??= new Backlog(this.#deps.memory, this.#deps.now())
    backlog.push(this.#next)
    for (const frames of this.#more ?? []) backlog.push(frames)
    this.#forgetTurn()
    this.#writeBacklog(backlog)
  }

  /** Writes all frames before the connection closes, if at most `maxBuffered` bytes wait; otherwise drops those not yet written. */
  finish (): void {
    this.flush()
    const backlog = this.#backlog
    if (backlog !== null && this.waiting <= this.#deps.limits.maxBuffered) {
      for (let frames = backlog.take(Infinity); frames !== undefined; frames = backlog.take(Infinity)) this.#transport.write(frames)
    }
    this.clear()
  }

  /** Drops all frames that have not been written. */
  clear (): void {
    this.#forgetTurn()
    this.#backlog?.clear()
    this.#backlog = null
  }

  /** `[P52]` Returns whether the client is a slow consumer. Many bytes sent at once do not make it one. */
  isSlow (): boolean {
    const backlog = this.#backlog
    if (backlog === null) return false
    const { now, limits: { maxBuffered } } = this.#deps
    const { waiting } = this
    const idle = now() - backlog.progressAt
    return (waiting > maxBuffered && idle >= STALL_MS) ||
      (waiting > HARD_FACTOR * maxBuffered && (idle >= HARD_STALL_MS || now() - backlog.since >= STALL_MS))
  }

  ping (): void {
    if (!this.awaitsPong) this.#waitsSince = this.#deps.now()
    this.#pinged++
    this.#owed++
    this.#gap = Math.max(this.#gap, this.#unmarked)
    this.#unmarked = 0
    this.#transport.ping(this.#pinged)
  }

  /** Counts an incoming pong. Returns whether it answers a ping of the server, so that it counts towards no limit [P53]. */
  takePong (): boolean {
    if (this.#owed === 0) return false
    this.#owed--
    return true
  }

  /** Records that the client has read everything before the ping with this number, or by default before the last ping. */
  pong (number = this.#pinged): void {
    if (number <= this.#ponged || number > this.#pinged) return
    this.#ponged = number
    // One pong may answer several pings. The client then does not send the other pongs.
    this.#owed = Math.min(this.#owed, this.#pinged - number)
    this.readOn()
    if (!this.awaitsPong) this.#gap = 0
  }

  get awaitsPong (): boolean { return this.#pinged !== this.#ponged }

  /** Restarts the pong timeout, because the client was seen to read or the server does not read its pongs. */
  readOn (): void { this.#waitsSince = this.#deps.now() }

  /** Returns whether the oldest unanswered ping is overdue. A ping behind a long frame has the time that the frame takes on a slow line. */
  isSilent (): boolean {
    if (!this.awaitsPong) return false
    const { now, limits: { pongTimeout, heartbeatInterval } } = this.#deps
    const extra = Math.min(heartbeatInterval, Math.max(0, this.#gap - MARK_BYTES) / SLOWEST_LINE)
    return now() - this.#waitsSince >= pongTimeout + extra
  }

  /** Writes slices for as long as the socket takes each one at once. */
  #writeBacklog (backlog: Backlog): void {
    while (backlog.writing === 0 || this.#transport.buffered === 0) {
      const frames = backlog.take(SLICE_BYTES)
      if (frames === undefined) break
      backlog.writing++
      this.#write(frames, () => this.#onTaken(backlog))
    }
    if (backlog.bytes === 0 && this.#transport.buffered === 0) this.#backlog = null
  }

  /** Called when the operating system has taken a slice of the backlog. */
  #onTaken (backlog: Backlog): void {
    backlog.writing--
    if (this.#backlog !== backlog) return
    backlog.progressAt = this.#deps.now()
    this.readOn()
    if (backlog.writing > 0) return
    if (backlog.bytes === 0) this.#backlog = null
    else this.#writeBacklog(backlog)
    this.#owner.drained()
  }

  /** Sends a ping before and after a long write, so that its time does not count against the frames before and after it. */
  #write (frames: Buffer, onTaken?: () => void): void {
    if (this.#unmarked + frames.length < MARK_BYTES) {
      this.#unmarked += frames.length
      this.#transport.write(frames, onTaken)
      return
    }
    this.#transport.cork()
    if (frames.length >= MARK_BYTES && this.#unmarked > 0) this.ping()
    this.#transport.write(frames, onTaken)
    this.#unmarked += frames.length
    this.ping()
    this.#transport.uncork()
  }

  #forgetTurn (): void {
    this.#next = null
    this.#more = null
    this.#bytes = 0
  }
}
