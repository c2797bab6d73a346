import { Backlog, type OutboundMemory } from './backlog.ts'
import type { Transport } from './transport.ts'

/** Bytes that are written at once to a socket that keeps up, and to one that has fallen behind, whose progress small writes show better. */
const WRITE_BYTES = 131_072
const SLICE_BYTES = 65_536
/** Bytes after which a ping is sent among the frames: its pong shows how far the peer has read. */
const MARK_BYTES = 65_536
/** The slowest line whose client is kept, in bytes a millisecond: a ping behind a long frame may take as long as the frame takes there. */
const SLOWEST_LINE = 16
/** With more than `maxBuffered` waiting, a socket that takes nothing for so many milliseconds is a slow consumer's [P52]. */
const STALL_MS = 5000
/** Beyond this many times `maxBuffered` a socket has 1 s to take something, and `STALL_MS` to come below it. */
const HARD_FACTOR = 16
const HARD_STALL_MS = 1000

export interface OutboxDeps {
  /** Milliseconds of the connections' clock. */
  now (): number
  memory: OutboundMemory
  limits: { maxBuffered: number, pongTimeout: number, heartbeatInterval: number }
}

export interface OutboxOwner {
  /** The socket has taken something that waited. */
  drained (): void
}

/**
 * What leaves on one connection: all frames of a turn of the event loop in one write while the socket keeps up, then in slices as the
 * socket takes them. Pings among them show how far the peer has read.
 */
export class Outbox {
  readonly #transport: Transport
  readonly #deps: OutboxDeps
  readonly #owner: OutboxOwner
  /** What leaves with the next flush: mostly one buffer, a channel's. */
  #next: Buffer | null = null
  #more: Buffer[] | null = null
  #bytes = 0
  /** What the socket has not taken; null while it keeps up. */
  #backlog: Backlog | null = null
  /** Bytes written since the last ping. */
  #unmarked = 0
  /** Numbers of the last ping sent and of the last one answered. */
  #pinged = 0
  #ponged = 0
  /** Pongs that may come without counting towards a limit: at most one for each unanswered ping [P53]. */
  #owed = 0
  /** Since when the oldest unanswered ping has waited, or since when the peer was last seen to read on. */
  #waitsSince = 0
  /** The most bytes that lie before one of the unanswered pings and behind the ping before it. */
  #gap = 0

  constructor (transport: Transport, deps: OutboxDeps, owner: OutboxOwner) {
    this.#transport = transport
    this.#deps = deps
    this.#owner = owner
  }

  /** Takes finished frames for the next flush. True: they are the first, a flush has to be asked for. */
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

  /** Bytes that are kept here for the socket, and since when it has taken nothing; null while it keeps up. */
  get backlog (): Readonly<Pick<Backlog, 'bytes' | 'progressAt'>> | null { return this.#backlog }

  /** Writes what was pushed in this turn, or as much of it as the socket takes: the rest follows as the socket goes on. */
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

  /** Hands everything to the socket before the connection closes, where it is no more than may wait; else the rest is lost with it. */
  finish (): void {
    this.flush()
    const backlog = this.#backlog
    if (backlog !== null && this.waiting <= this.#deps.limits.maxBuffered) {
      for (let frames = backlog.take(Infinity); frames !== undefined; frames = backlog.take(Infinity)) this.#transport.write(frames)
    }
    this.clear()
  }

  /** Drops what waits here. */
  clear (): void {
    this.#forgetTurn()
    this.#backlog?.clear()
    this.#backlog = null
  }

  /** `[P52]` Does the socket not take what it could take? That much was put out at once is no reason by itself. */
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

  /** A pong is coming in: whether it is one of those that the peer owes us, which count towards no limit [P53]. */
  takePong (): boolean {
    if (this.#owed === 0) return false
    this.#owed--
    return true
  }

  /** The peer has read everything before the ping of this number; without one, before the last ping. */
  pong (number = this.#pinged): void {
    if (number <= this.#ponged || number > this.#pinged) return
    this.#ponged = number
    // One pong may answer several pings: the pongs that are left out are owed no more.
    this.#owed = Math.min(this.#owed, this.#pinged - number)
    this.readOn()
    if (!this.awaitsPong) this.#gap = 0
  }

  get awaitsPong (): boolean { return this.#pinged !== this.#ponged }

  /** The peer has been seen to read, or cannot be seen to: its pong has its whole time again. */
  readOn (): void { this.#waitsSince = this.#deps.now() }

  /** Has the oldest unanswered ping waited for too long? One behind a long frame has the time that the frame takes on a slow line. */
  isSilent (): boolean {
    if (!this.awaitsPong) return false
    const { now, limits: { pongTimeout, heartbeatInterval } } = this.#deps
    const extra = Math.min(heartbeatInterval, Math.max(0, this.#gap - MARK_BYTES) / SLOWEST_LINE)
    return now() - this.#waitsSince >= pongTimeout + extra
  }

  /** Writes slice after slice for as long as the socket takes each at once. */
  #writeBacklog (backlog: Backlog): void {
    while (backlog.writing === 0 || this.#transport.buffered === 0) {
      const frames = backlog.take(SLICE_BYTES)
      if (frames === undefined) break
      backlog.writing++
      this.#write(frames, () => this.#onTaken(backlog))
    }
    if (backlog.bytes === 0 && this.#transport.buffered === 0) this.#backlog = null
  }

  /** The operating system has taken a slice of the backlog. */
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

  /** Pings before and behind what is long, so that neither what came before nor what follows is judged by its time. */
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
