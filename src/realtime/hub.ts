import type { Broker, BrokerHandlers, BusEvent, ControlAction, Topic } from '../broker/broker.ts'
import type { CloseName } from '../errors.ts'
import type { Presence } from '../presence/presence.ts'
import type { Person } from '../schemas/channel.ts'
import type { Joined } from '../store/memberships.ts'
import type { OutboundMemory } from './backlog.ts'
import { LocalChannel } from './channel.ts'
import { countFrames, encode } from './codec.ts'
import type { SequencerDeps } from './sequencer.ts'
import type { FaultPlace, Session, SessionUser } from './session.ts'
import type { Traffic } from './traffic.ts'

export interface HubDeps {
  broker: Broker
  presence: Presence
  /** Entries of a channel's sequence, from the database. */
  read (channelId: string, after: number, upTo: number): ReturnType<SequencerDeps['read']>
  isInFlight: SequencerDeps['isInFlight']
  onFault (error: unknown, where?: FaultPlace): void
  traffic: Traffic
  /** Bytes that may wait for one subscriber while its join is answered. */
  maxWaiting: number
  outbound: OutboundMemory
}

/** With no room left for all connections together, one whose socket has taken nothing for so many milliseconds goes first. */
const IDLE_MS = 1000

/** This instance's connections and what they are subscribed to. */
export class Hub {
  readonly #deps: HubDeps
  readonly #sessions = new Set<Session>()
  readonly #byUser = new Map<string, Set<Session>>()
  readonly #channels = new Map<string, LocalChannel>()
  #dirty: Session[] = []
  /** Since when the runs waited that leave with the next flush. */
  #runs: number[] = []
  #wasFull = false
  /** Asked to look at channels whose events may have been missed. The watch sets it. */
  onDoubt: (channelIds: string[]) => void = () => {}

  constructor (deps: HubDeps) {
    this.#deps = deps
  }

  get size (): number { return this.#sessions.size }

  sessions (): Iterable<Session> { return this.#sessions }

  sessionsOf (userId: string): Session[] { return [...this.#byUser.get(userId) ?? []] }

  channels (): Iterable<LocalChannel> { return this.#channels.values() }

  channel (id: string): LocalChannel | undefined { return this.#channels.get(id) }

  /** What the bus tells this hub. */
  readonly handlers: BrokerHandlers = {
    onEvent: (topic, event) => this.#onEvent(topic, event),
    onSubscribed: topics => this.onDoubt(topics.filter(topic => topic.startsWith('channel:')).map(idOf)),
    onConnected: connected => this.#sendToAll(encode(busState(connected)))
  }

  add (session: Session): void {
    this.#sessions.add(session)
  }

  /** The session now speaks for this user. */
  identify (session: Session, user: SessionUser): void {
    const sessions = this.#byUser.get(user.id)
    if (sessions) {
      sessions.add(session)
    } else {
      this.#byUser.set(user.id, new Set([session]))
      this.#deps.broker.subscribe(`user:${user.id}`)
    }
    this.#deps.broker.subscribe('broadcast')
  }

  /** What a client that has just made itself known should know of this instance. */
  greet (session: Session): void {
    if (!this.#deps.broker.connected) session.notify(encode(busState(false)), 1)
  }

  /** The connection is gone: its subscriptions end, its memberships stay. */
  remove (session: Session): void {
    if (!this.#sessions.delete(session)) return
    session.ended()
    for (const channel of session.subscriptions.values()) this.#unsubscribe(session, channel)
    const { user } = session
    const sessions = user && this.#byUser.get(user.id)
    if (!sessions?.delete(session) || sessions.size > 0) return
    this.#byUser.delete(user!.id)
    this.#deps.broker.unsubscribe(`user:${user!.id}`)
    if (this.#byUser.size === 0) this.#deps.broker.unsubscribe('broadcast')
  }

  /** Attaches a session to a channel it has just joined; what arrives is kept for it until `goLive`. */
  attach (session: Session, name: string, joined: Joined): LocalChannel {
    let channel = this.#channels.get(joined.channelId)
    if (!channel) {
      const { broker, read, isInFlight, onFault, maxWaiting, traffic, outbound } = this.#deps
      const id = joined.channelId
      channel = new LocalChannel({ id, name, lastSeq: joined.lastSeq, aclVersion: joined.aclVersion }, {
        read: (after, upTo) => read(id, after, upTo),
        isInFlight,
        onFault,
        maxWaiting,
        traffic,
        hasRoom: () => !outbound.isFull,
        onDelivered: this.#onDelivered
      })
      this.#channels.set(id, channel)
      broker.subscribe(`channel:${id}`)
    }
    channel.attach(session, joined.aclVersion)
    session.subscriptions.set(name, channel)
    // The membership that was read is older than what is known here: it may have ended since, so all are looked at again.
    if (joined.aclVersion < channel.aclVersion) {
      channel.aclVersion = joined.aclVersion
      this.onDoubt([channel.id])
    }
    return channel
  }

  /** The join has its reply. Presence tells the others where this is the user's first subscription [P23]. */
  goLive (session: Session, channel: LocalChannel, seq: number): void {
    channel.goLive(session, seq)
    this.#deps.presence.enter(channel, personOf(session))
  }

  /** Ends one session's subscription; the membership is not touched. */
  unsubscribe (session: Session, name: string): void {
    const channel = session.subscriptions.get(name)
    if (channel) this.#unsubscribe(session, channel)
  }

  /**
   * Ends these users' subscriptions to the channel, on this instance: those older than the version that ended the membership.
   * Who has joined again since stays.
   */
  endSubscriptions (channel: LocalChannel, aclVersion: number, isGone: (userId: string) => boolean): Session[] {
    const ended = channel.subscribersBefore(aclVersion).filter(subscriber => isGone(subscriber.userId!)) as Session[]
    for (const session of ended) this.#unsubscribe(session, channel)
    return ended
  }

  /** The channel is gone [P24]. */
  endChannel (channel: LocalChannel, timestamp: string): void {
    const frame = encode({ type: 'channel_deleted', channel: channel.name, timestamp })
    for (const session of this.endSubscriptions(channel, Infinity, () => true)) session.notify(frame, 1)
  }

  /** Closes a user's connections, all or those of one login. */
  disconnect (userId: string, reason: CloseName, sid?: string): void {
    for (const session of this.sessionsOf(userId)) {
      if (sid === undefined || (session.state.phase === 'authenticated' && session.state.sid === sid)) session.close(reason)
    }
  }

  /** Sends what a session queued, at the end of this turn of the event loop: one write per socket. */
  scheduleFlush (session: Session): void {
    this.#dirty.push(session)
    if (this.#dirty.length > 1) return
    setImmediate(() => {
      const dirty = this.#dirty
      const runs = this.#runs
      this.#dirty = []
      this.#runs = []
      for (const session of dirty) {
        try {
          session.flush()
        } catch (error) {
          this.#deps.onFault(error, { connection: session.id })
        }
      }
      const now = performance.now()
      for (const queuedAt of runs) this.#deps.traffic.delivery.observe((now - queuedAt) / 1000)
    })
  }

  /**
   * `[P52]` Where all connections together hold more than they may, those are ended whose sockets take nothing, the longest idle first;
   * where that was not enough a second ago, those that hold most. To be called at every tick of the clock.
   */
  relieve (now: number): void {
    const { outbound } = this.#deps
    const wasFull = this.#wasFull
    this.#wasFull = outbound.isFull
    if (!outbound.isFull) return
    const behind = [...this.#sessions].flatMap(session => {
      const { backlog } = session
      return backlog === null ? [] : [{ session, bytes: backlog.bytes, progressAt: backlog.progressAt }]
    })
    const idle = behind.filter(({ progressAt }) => now - progressAt >= IDLE_MS).sort((a, b) => a.progressAt - b.progressAt)
    const largest = wasFull ? behind.sort((a, b) => b.bytes - a.bytes) : []
    for (const { session } of [...idle, ...largest]) {
      if (!outbound.isFull) return
      session.close('slow_consumer')
    }
  }

  /** Measured where somebody takes it: otherwise no flush is under way. */
  readonly #onDelivered = (queuedAt: number): void => {
    if (this.#dirty.length > 0) this.#runs.push(queuedAt)
  }

  #sendToAll (frame: Buffer): void {
    for (const sessions of this.#byUser.values()) for (const session of sessions) session.notify(frame, 1)
  }

  #onEvent (topic: Topic, event: BusEvent): void {
    const id = idOf(topic)
    if (topic === 'broadcast') {
      if (event.kind === 'notice') this.#sendToAll(event.frame)
    } else if (topic.startsWith('user:')) {
      if (event.kind === 'notice') {
        const count = countFrames(event.frame)
        for (const session of this.sessionsOf(id)) if (session.id !== event.except) session.notify(event.frame, count)
      } else if (event.kind === 'control') {
        this.#onUserAction(id, event.action)
      }
    } else {
      const channel = this.#channels.get(id)
      if (!channel) return
      if (event.kind === 'entries') channel.sequencer.accept(event)
      else if (event.kind === 'notice') channel.notify(event)
      else this.#onChannelAction(channel, event.action)
    }
  }

  #onUserAction (userId: string, action: ControlAction): void {
    if (action.type === 'disconnect') this.disconnect(userId, action.reason, action.sid)
    if (action.type === 'user_changed') {
      for (const { user } of this.sessionsOf(userId)) Object.assign(user!, action.user)
    }
  }

  #onChannelAction (channel: LocalChannel, action: ControlAction): void {
    if (action.type === 'channel_deleted') this.endChannel(channel, action.timestamp)
    if (action.type === 'membership_ended') {
      const gone = new Set(action.userIds)
      this.endSubscriptions(channel, action.aclVersion, userId => gone.has(userId))
      // A version that was skipped belongs to a change that this instance has not heard of.
      if (action.aclVersion > channel.aclVersion + 1) this.onDoubt([channel.id])
      else channel.aclVersion = Math.max(channel.aclVersion, action.aclVersion)
    }
  }

  #unsubscribe (session: Session, channel: LocalChannel): void {
    session.subscriptions.delete(channel.name)
    if (!channel.detach(session)) return
    if (!this.#othersOf(session, channel)) this.#deps.presence.exit(channel, personOf(session))
    if (!channel.empty) return
    channel.sequencer.close()
    this.#channels.delete(channel.id)
    this.#deps.broker.unsubscribe(`channel:${channel.id}`)
  }

  /** Is another connection of the same user subscribed here? */
  #othersOf (session: Session, channel: LocalChannel): boolean {
    for (const other of this.#byUser.get(session.userId!) ?? []) if (other !== session && channel.has(other)) return true
    return false
  }
}

/** [P33] */
function busState (connected: boolean): object {
  return { type: connected ? 'restored' : 'degraded', timestamp: new Date().toISOString() }
}

function personOf ({ user }: Session): Person {
  return { user_id: user!.id, username: user!.name }
}

function idOf (topic: Topic): string {
  return topic.slice(topic.indexOf(':') + 1)
}
