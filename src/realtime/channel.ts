import type { EntriesEvent, NoticeEvent } from '../broker/broker.ts'
import { countFrames } from './codec.ts'
import { after, lastSeqOf, Sequencer, type SequencerDeps } from './sequencer.ts'
import type { Traffic } from './traffic.ts'

/** What a channel needs of a connection. */
export interface Subscriber {
  readonly id: string
  readonly userId: string | undefined
  /** `count`: how many frames they are. */
  send (frames: Buffer, count: number): void
  notify (frames: Buffer, count: number): void
}

export interface ChannelDeps extends Omit<SequencerDeps, 'deliver' | 'gaps'> {
  /** Bytes that may wait for one subscriber between its attachment and its reply. */
  maxWaiting: number
  traffic: Traffic
  /** A run is on its way to the live subscribers' sockets; its oldest message was queued then. */
  onDelivered (queuedAt: number): void
}

/** A subscriber that is not live yet: it has no reply yet (`from` null), or a reply that is ahead of the live stream. */
interface Pending {
  from: number | null
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
    const { read, isInFlight, hasRoom, onFault, traffic: { gaps } } = deps
    this.sequencer = new Sequencer(lastSeq, { read, isInFlight, hasRoom, onFault, gaps, deliver: event => this.#deliver(event) })
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
    return this.#live.has(subscriber) ? this.sequencer.last : this.#pending.get(subscriber)?.from ?? undefined
  }

  /** From now on everything is kept for this subscriber until `goLive`. */
  attach (subscriber: Subscriber, aclVersion: number): void {
    this.#live.delete(subscriber)
    this.#pending.set(subscriber, { from: null, aclVersion, waiting: [], bytes: 0 })
  }

  /** More came while the reply was made than may wait: it must not promise what is gone. */
  overflowed (subscriber: Subscriber): boolean {
    return this.#pending.get(subscriber)!.bytes > this.#deps.maxWaiting
  }

  /** The subscriber has been told everything up to `seq` and receives what follows it [P30]. */
  goLive (subscriber: Subscriber, seq: number): void {
    const pending = this.#pending.get(subscriber)
    if (!pending) return
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

  detach (subscriber: Subscriber): boolean {
    return this.#live.delete(subscriber) || this.#pending.delete(subscriber)
  }

  /** Sends a frame outside the sequence. */
  notify (event: NoticeEvent): void {
    const count = countFrames(event.frame)
    for (const subscriber of this.#live.keys()) if (subscriber.id !== event.except) subscriber.notify(event.frame, count)
    for (const [subscriber, pending] of this.#pending) {
      if (subscriber.id === event.except) continue
      if (pending.from === null) this.#keep(pending, event, event.frame.length)
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
        this.#keep(pending, event, event.frames.length)
      } else if (lastSeqOf(event) >= pending.from) {
        if (lastSeqOf(event) > pending.from) this.#send(subscriber, after(event, pending.from))
        this.#pending.delete(subscriber)
        this.#live.set(subscriber, pending.aclVersion)
      }
    }
  }

  #send (subscriber: Subscriber, { frames, ends: { length: count } }: EntriesEvent): void {
    subscriber.send(frames, count)
    this.#deps.traffic.sent.entry += count
  }

  #keep (pending: Pending, event: EntriesEvent | NoticeEvent, bytes: number): void {
    pending.bytes += bytes
    if (pending.bytes <= this.#deps.maxWaiting) pending.waiting.push(event)
    else pending.waiting = []
  }
}
