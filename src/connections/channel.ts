import type { EntriesEvent, NoticeEvent } from '../broker/broker.ts'
import { countFrames } from './frames.ts'
import { after, lastSeqOf } from './runs.ts'
import { Sequencer, type SequencerDeps } from './sequencer.ts'
import type { Traffic } from './traffic.ts'

/** The part of a connection that a channel uses. */
export interface Subscriber {
  readonly id: string
  readonly userId: string | undefined
  /** Whether its socket has taken everything that was sent. */
  readonly isDrained: boolean
  /** `count`: the number of frames in the buffer. */
  send (frames: Buffer, count: number): void
  notify (frames: Buffer, count: number): void
  /** Sends a signal, or drops it if the connection cannot take it at once [P42]. */
  signal (frame: Buffer): void
}

export interface ChannelDeps extends Omit<SequencerDeps, 'deliver' | 'gaps' | 'onReturn' | 'maxUnvouched'> {
  /** Most bytes that may wait for one subscriber between its attachment and the reply to its join. */
  maxWaiting: number
  traffic: Traffic
  /** Called after a run of entries was sent to the live subscribers. `queuedAt`: when the oldest message of the batch was queued. */
  onDelivered (queuedAt: number): void
}

/**
 * The state of a subscriber that is not live. Either it waits for the reply to its join or is held (`from` is null), or its reply was ahead
 * of the live stream (`from` is the `seq` in that reply).
 */
interface Pending {
  from: number | null
  /** The `seq` of the last entry that the subscriber received before it was held; undefined if it is not held. */
  heldAt?: number
  /** Upper bound of `from`, whatever the reply says: the database has no entry after this `seq`. */
  ceiling: number
  aclVersion: number
  waiting: Array<EntriesEvent | NoticeEvent>
  bytes: number
}

/** A channel as the first join on this instance found it. */
export interface ChannelState { id: string, name: string, lastSeq: number, aclVersion: number, settingsVersion: number }

/** A channel that connections of this instance are subscribed to. */
export class LocalChannel {
  readonly id: string
  readonly name: string
  /** The highest version that this instance knows. A higher one in the database means that memberships may have ended [P33]. */
  aclVersion: number
  /** The version of the settings that all subscribers know, from the reply to their join or from a notice [P50]. */
  settingsVersion: number
  /** Connected users whose membership has ended according to the bus; a notice tells them why. The database must still confirm it [P60]. */
  leaving = new Set<string>()
  /** True if a mute or its end, of which the bus has told, has to be looked up [P60]. */
  areMutesDoubted = false
  readonly sequencer: Sequencer
  /** The live subscribers, each with an `aclVersion` at which its user was a member. */
  readonly #live = new Map<Subscriber, number>()
  readonly #pending = new Map<Subscriber, Pending>()
  /** Until when users are muted, by `performance.now()`, and the version of the channel that this was read from or came with. */
  readonly #mutes = new Map<string, { until: number, aclVersion: number }>()
  readonly #deps: ChannelDeps

  constructor ({ id, name, lastSeq, aclVersion, settingsVersion }: ChannelState, deps: ChannelDeps) {
    this.id = id
    this.name = name
    this.aclVersion = aclVersion
    this.settingsVersion = settingsVersion
    this.#deps = deps
    const { messages, hasRoom, onFault, onDoubt, maxWaiting: maxUnvouched, traffic: { gaps } } = deps
    this.sequencer = new Sequencer(id, lastSeq, {
      messages,
      hasRoom,
      onFault,
      onDoubt,
      maxUnvouched,
      gaps,
      deliver: event => this.#deliver(event),
      onReturn: committed => this.#return(committed)
    })
  }

  get empty (): boolean { return this.#live.size === 0 && this.#pending.size === 0 }

  has (subscriber: Subscriber): boolean { return this.#live.has(subscriber) || this.#pending.has(subscriber) }

  /** Returns a copy, so that subscriptions may end while a caller iterates over it. */
  subscribers (): Subscriber[] { return [...this.#live.keys(), ...this.#pending.keys()] }

  /** Subscribers whose membership is older than this version, which may have ended it. */
  subscribersBefore (aclVersion: number): Subscriber[] {
    const live = [...this.#live].filter(([, joinedAt]) => joinedAt < aclVersion)
    const pending = [...this.#pending].filter(([, { aclVersion: joinedAt }]) => joinedAt < aclVersion)
    return [...live, ...pending].map(([subscriber]) => subscriber)
  }

  /** The `seq` up to which the subscriber has received everything; undefined while it waits for the reply to its join. */
  position (subscriber: Subscriber): number | undefined {
    if (this.#live.has(subscriber)) return this.sequencer.last
    const pending = this.#pending.get(subscriber)
    return pending?.from ?? pending?.heldAt
  }

  /** Subscribes, but keeps everything that arrives for the subscriber until `goLive`. */
  attach (subscriber: Subscriber, aclVersion: number): void {
    this.#live.delete(subscriber)
    this.#pending.set(subscriber, { from: null, ceiling: Infinity, aclVersion, waiting: [], bytes: 0 })
  }

  /** True if more events arrived during the join than may wait. They are dropped then, so the reply must not promise them. */
  overflowed (subscriber: Subscriber): boolean {
    return this.#pending.get(subscriber)!.bytes > this.#deps.maxWaiting
  }

  /** Sends the subscriber everything after `told`, the `seq` that its reply named, and then the live stream [P30]. */
  goLive (subscriber: Subscriber, told: number): void {
    const pending = this.#pending.get(subscriber)
    if (!pending) return
    const seq = Math.min(told, pending.ceiling)
    const { waiting } = pending
    pending.from = seq
    pending.waiting = []
    for (const event of waiting) {
      if (event.kind === 'notice') subscriber.notify(event.frame, countFrames(event.frame))
      else if (lastSeqOf(event) > seq) this.#send(subscriber, after(event, seq))
    }
    if (this.sequencer.last < seq) return
    this.#pending.delete(subscriber)
    this.#live.set(subscriber, pending.aclVersion)
  }

  /** Keeps what arrives for a subscriber whose membership has ended according to the bus, until the database has been asked [P60]. */
  hold (subscriber: Subscriber): void {
    const aclVersion = this.#live.get(subscriber)
    if (aclVersion === undefined) return
    this.#live.delete(subscriber)
    this.#pending.set(subscriber, { from: null, heldAt: this.sequencer.last, ceiling: Infinity, aclVersion, waiting: [], bytes: 0 })
  }

  /** Delivers what `hold` kept, because the database says that the membership goes on. */
  release (subscriber: Subscriber): void {
    const heldAt = this.#pending.get(subscriber)?.heldAt
    if (heldAt !== undefined) this.goLive(subscriber, heldAt)
  }

  /**
   * Goes back to the versions that a join has read, where they are older than the known ones. Returns true if one is: the membership may
   * have ended since, and the subscriber lacks settings of which the others have been told already.
   */
  goBackTo ({ aclVersion, settingsVersion }: Pick<ChannelState, 'aclVersion' | 'settingsVersion'>): boolean {
    const isOlder = aclVersion < this.aclVersion || settingsVersion < this.settingsVersion
    this.aclVersion = Math.min(aclVersion, this.aclVersion)
    this.settingsVersion = Math.min(settingsVersion, this.settingsVersion)
    return isOlder
  }

  /** Records that this instance knows of the change that led to this version. Returns false if it does not know of one before it. */
  reach (aclVersion: number): boolean {
    if (aclVersion > this.aclVersion + 1) return false
    this.aclVersion = Math.max(this.aclVersion, aclVersion)
    return true
  }

  /** Milliseconds for which the user is still muted, as far as this instance knows; 0: they are not. */
  mutedFor (userId: string): number {
    const mute = this.#mutes.get(userId)
    return mute === undefined ? 0 : Math.max(0, Math.ceil(mute.until - performance.now()))
  }

  /** Records for how many milliseconds (0: not) the user was muted at this version of the channel, unless a newer one is known. */
  mute (userId: string, ms: number, aclVersion: number): void {
    const known = this.#mutes.get(userId)
    if (known === undefined ? ms === 0 : known.aclVersion > aclVersion) return
    this.#mutes.set(userId, { until: performance.now() + ms, aclVersion })
  }

  /** Forgets whether a user is muted who has no subscription on this instance any more. */
  forgetMute (userId: string): void { this.#mutes.delete(userId) }

  detach (subscriber: Subscriber): boolean {
    return this.#live.delete(subscriber) || this.#pending.delete(subscriber)
  }

  /** Sends frames that are not part of the channel's sequence. */
  notify (event: NoticeEvent): void {
    if (event.isSignal) return this.#signal(event)
    const count = countFrames(event.frame)
    for (const subscriber of this.#live.keys()) if (subscriber.id !== event.except) subscriber.notify(event.frame, count)
    for (const [subscriber, pending] of this.#pending) {
      if (subscriber.id === event.except) continue
      if (pending.from === null) this.#keep(subscriber, pending, event, event.frame.length)
      else subscriber.notify(event.frame, count)
    }
  }

  /** Sends a signal. Nothing is kept for a subscriber that waits for the reply to its join or is held [P42]. */
  #signal ({ frame, except }: NoticeEvent): void {
    for (const subscriber of this.#live.keys()) if (subscriber.id !== except) subscriber.signal(frame)
    for (const [subscriber, { from }] of this.#pending) if (from !== null && subscriber.id !== except) subscriber.signal(frame)
  }

  #deliver (event: EntriesEvent): void {
    const count = event.ends.length
    for (const subscriber of this.#live.keys()) subscriber.send(event.frames, count)
    this.#deps.traffic.sent.entry += count * this.#live.size
    if (event.queuedAt !== undefined) this.#deps.onDelivered(event.queuedAt)
    for (const [subscriber, pending] of this.#pending) {
      if (pending.from === null) {
        this.#keep(subscriber, pending, event, event.frames.length)
      } else if (lastSeqOf(event) >= pending.from) {
        if (lastSeqOf(event) > pending.from) this.#send(subscriber, after(event, pending.from))
        this.#pending.delete(subscriber)
        this.#live.set(subscriber, pending.aclVersion)
      }
    }
  }

  /** Lowers the positions of subscribers that are not live to the last `seq` in the database: a higher one came from a false entry. */
  #return (committed: number): void {
    for (const pending of this.#pending.values()) {
      pending.ceiling = committed
      if (pending.from !== null) pending.from = Math.min(pending.from, committed)
    }
  }

  #send (subscriber: Subscriber, { frames, ends: { length: count } }: EntriesEvent): void {
    subscriber.send(frames, count)
    this.#deps.traffic.sent.entry += count
  }

  #keep (subscriber: Subscriber, pending: Pending, event: EntriesEvent | NoticeEvent, bytes: number): void {
    pending.bytes += bytes
    pending.waiting.push(event)
    if (pending.bytes <= this.#deps.maxWaiting) return
    // A hint of the bus must not cost anybody a message: a held subscriber receives everything now.
    if (pending.heldAt !== undefined) this.goLive(subscriber, pending.heldAt)
    else pending.waiting = []
  }
}
