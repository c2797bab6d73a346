import type { EntriesEvent, NoticeEvent } from '../broker/broker.ts'
import { countFrames } from './frames.ts'
import { after, lastSeqOf } from './runs.ts'
import { Sequencer, type SequencerDeps } from './sequencer.ts'
import type { Traffic } from './traffic.ts'

/** What a channel needs of a connection. */
export interface Subscriber {
  readonly id: string
  readonly userId: string | undefined
  /** `count`: how many frames they are. */
  send (frames: Buffer, count: number): void
  notify (frames: Buffer, count: number): void
}

export interface ChannelDeps extends Omit<SequencerDeps, 'deliver' | 'gaps' | 'onReturn' | 'maxUnvouched'> {
  /** Bytes that may wait for one subscriber between its attachment and its reply. */
  maxWaiting: number
  traffic: Traffic
  /** A run is on its way to the live subscribers' sockets; its oldest message was queued then. */
  onDelivered (queuedAt: number): void
}

/** A subscriber that is not live: it has no reply yet, or is held (`from` null), or it has a reply that is ahead of the live stream. */
interface Pending {
  from: number | null
  /** Up to which `seq` it had been told everything when it was held; undefined where it is not. */
  heldAt?: number
  /** `from` goes no further, whatever the reply says: no entry behind it was stored. */
  ceiling: number
  aclVersion: number
  waiting: Array<EntriesEvent | NoticeEvent>
  bytes: number
}

/** A channel as far as this instance's connections are subscribed to it. */
export class LocalChannel {
  readonly id: string
  readonly name: string
  /** The highest known here; a higher one in the database means that subscriptions may have ended [P33]. */
  aclVersion: number
  /** Connected users whose membership the bus says has ended, and who have been told why. The database has yet to confirm it [P60]. */
  leaving = new Set<string>()
  readonly sequencer: Sequencer
  /** With the `aclVersion` at which each was a member. */
  readonly #live = new Map<Subscriber, number>()
  readonly #pending = new Map<Subscriber, Pending>()
  readonly #deps: ChannelDeps

  constructor ({ id, name, lastSeq, aclVersion }: { id: string, name: string, lastSeq: number, aclVersion: number }, deps: ChannelDeps) {
    this.id = id
    this.name = name
    this.aclVersion = aclVersion
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

  /** A copy, so that subscriptions may end while it is walked. */
  subscribers (): Subscriber[] { return [...this.#live.keys(), ...this.#pending.keys()] }

  /** Those who were members before this version, and may have been ended by it. */
  subscribersBefore (aclVersion: number): Subscriber[] {
    const live = [...this.#live].filter(([, joinedAt]) => joinedAt < aclVersion)
    const pending = [...this.#pending].filter(([, { aclVersion: joinedAt }]) => joinedAt < aclVersion)
    return [...live, ...pending].map(([subscriber]) => subscriber)
  }

  /** Up to which `seq` the subscriber has been told everything, or undefined where it waits for its first reply. */
  position (subscriber: Subscriber): number | undefined {
    if (this.#live.has(subscriber)) return this.sequencer.last
    const pending = this.#pending.get(subscriber)
    return pending?.from ?? pending?.heldAt
  }

  /** From now on everything is kept for this subscriber until `goLive`. */
  attach (subscriber: Subscriber, aclVersion: number): void {
    this.#live.delete(subscriber)
    this.#pending.set(subscriber, { from: null, ceiling: Infinity, aclVersion, waiting: [], bytes: 0 })
  }

  /** More came while the reply was made than may wait: it must not promise what is gone. */
  overflowed (subscriber: Subscriber): boolean {
    return this.#pending.get(subscriber)!.bytes > this.#deps.maxWaiting
  }

  /** The subscriber has been told everything up to this `seq` and receives what follows it [P30]. */
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

  /** The bus says that the subscriber's membership has ended: what arrives is kept until the database has been asked [P60]. */
  hold (subscriber: Subscriber): void {
    const aclVersion = this.#live.get(subscriber)
    if (aclVersion === undefined) return
    this.#live.delete(subscriber)
    this.#pending.set(subscriber, { from: null, heldAt: this.sequencer.last, ceiling: Infinity, aclVersion, waiting: [], bytes: 0 })
  }

  /** The database has been asked, and the subscriber's membership goes on. */
  release (subscriber: Subscriber): void {
    const heldAt = this.#pending.get(subscriber)?.heldAt
    if (heldAt !== undefined) this.goLive(subscriber, heldAt)
  }

  detach (subscriber: Subscriber): boolean {
    return this.#live.delete(subscriber) || this.#pending.delete(subscriber)
  }

  /** Sends a frame outside the sequence. */
  notify (event: NoticeEvent): void {
    const count = countFrames(event.frame)
    for (const subscriber of this.#live.keys()) if (subscriber.id !== event.except) subscriber.notify(event.frame, count)
    for (const [subscriber, pending] of this.#pending) {
      if (subscriber.id === event.except) continue
      if (pending.from === null) this.#keep(subscriber, pending, event, event.frame.length)
      else subscriber.notify(event.frame, count)
    }
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

  /** A reply that went further than the database followed a false entry. */
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
    // Nobody may lose anything because of what the bus says: whoever is held gets it now.
    if (pending.heldAt !== undefined) this.goLive(subscriber, pending.heldAt)
    else pending.waiting = []
  }
}
