import type { Broker, BrokerHandlers, BusEvent, ControlAction, NoticeEvent, Topic } from '../broker/broker.ts'
import type { CloseName } from '../errors.ts'
import type { Presence } from '../presence/presence.ts'
import type { Joined } from '../store/memberships.ts'
import type { UserState } from '../store/users.ts'
import type { Activity } from './activity.ts'
import type { OutboundMemory } from './backlog.ts'
import { LocalChannel } from './channel.ts'
import { countFrames, encode } from './frames.ts'
import { Flusher, type Flushable } from './flusher.ts'
import { checkHint } from './hints.ts'
import type { SequencerDeps } from './sequencer.ts'
import type { FaultPlace, Session, SessionUser } from './session.ts'
import type { Tracer } from './tracer.ts'
import type { Traffic } from './traffic.ts'
import type { Watchers } from './watchers.ts'

export interface HubDeps {
  broker: Broker
  presence: Presence
  messages: SequencerDeps['messages']
  activity: Pick<Activity, 'receive' | 'unwatch'>
  watchers: Pick<Watchers, 'receive'>
  tracer: Pick<Tracer, 'isOn' | 'accept'>
  onFault (error: unknown, where?: FaultPlace): void
  traffic: Traffic
  /** Most bytes that may wait for one subscriber while its join is answered. */
  maxWaiting: number
  outbound: OutboundMemory
}

/** Takes channels and users whose state may differ from what this instance knows. The reconciler looks them up in the database. */
export interface Doubts {
  channels (ids: string[]): void
  user (id: string): void
  /** The user may have to be told of a direct channel [P47]. */
  direct (userId: string): void
}

/** This instance's connections and their subscriptions. */
export class Hub {
  readonly #deps: HubDeps
  readonly #sessions = new Set<Session>()
  readonly #byUser = new Map<string, Set<Session>>()
  readonly #channels = new Map<string, LocalChannel>()
  readonly #flusher: Flusher
  /** The newest channel of each name that is in use on this instance. */
  readonly #names = new Map<string, LocalChannel>()
  /** Set by the reconciler. */
  doubts: Doubts = { channels () {}, user () {}, direct () {} }

  constructor (deps: HubDeps) {
    this.#deps = deps
    this.#flusher = new Flusher(deps)
  }

  get size (): number { return this.#sessions.size }

  sessions (): Iterable<Session> { return this.#sessions }

  sessionsOf (userId: string): Session[] { return [...this.#byUser.get(userId) ?? []] }

  channels (): Iterable<LocalChannel> { return this.#channels.values() }

  channel (id: string): LocalChannel | undefined { return this.#channels.get(id) }

  readonly handlers: BrokerHandlers = {
    onEvent: (topic, event, isOwn) => this.#onEvent(topic, event, isOwn),
    onSubscribed: topics => this.doubts.channels(topics.filter(topic => topic.startsWith('channel:')).map(idOf)),
    onConnected: connected => this.#sendToAll(encode(busState(connected)))
  }

  add (session: Session): void {
    this.#sessions.add(session)
  }

  /** Registers the user of a session that has authenticated. */
  identify (session: Session, user: SessionUser): void {
    const sessions = this.#byUser.get(user.id)
    if (sessions) {
      sessions.add(session)
    } else {
      this.#byUser.set(user.id, new Set([session]))
      this.#deps.broker.subscribe(`user:${user.id}`)
      if (!user.guest) this.#deps.presence.connect(session.person)
    }
    this.#deps.broker.subscribe('broadcast')
  }

  /** Tells a client that has just authenticated if the bus is down [P33]. */
  greet (session: Session): void {
    if (!this.#deps.broker.connected) session.notify(encode(busState(false)), 1)
  }

  /** Removes the session of a connection that has ended: its subscriptions end, its user's memberships stay. */
  remove (session: Session): void {
    if (!this.#sessions.delete(session)) return
    session.ended()
    for (const channel of session.subscriptions.values()) this.#unsubscribe(session, channel)
    this.#deps.activity.unwatch(session)
    const { user } = session
    const sessions = user && this.#byUser.get(user.id)
    if (!sessions?.delete(session) || sessions.size > 0) return
    this.#byUser.delete(user!.id)
    this.#deps.presence.disconnect(session.person)
    this.#deps.broker.unsubscribe(`user:${user!.id}`)
    if (this.#byUser.size === 0) this.#deps.broker.unsubscribe('broadcast')
  }

  /** Attaches a session to a channel that it has just joined. Everything that arrives for it is kept until `goLive`. */
  attach (session: Session, channelName: string, joined: Joined): LocalChannel {
    let channel = this.#channels.get(joined.channelId)
    if (!channel) {
      const { broker, messages, onFault, maxWaiting, traffic, outbound } = this.#deps
      const { channelId: id, lastSeq, aclVersion, settingsVersion } = joined
      channel = new LocalChannel({ id, name: channelName, lastSeq, aclVersion, settingsVersion }, {
        messages,
        onFault,
        onDoubt: () => this.doubts.channels([id]),
        maxWaiting,
        traffic,
        hasRoom: () => !outbound.isFull,
        onDelivered: this.#flusher.onDelivered
      })
      this.#channels.set(id, channel)
      // Subscribers of a deleted channel with this name have missed its deletion.
      const former = this.#names.get(channelName)
      if (former) this.doubts.channels([former.id])
      this.#names.set(channelName, channel)
      broker.subscribe(`channel:${id}`)
    }
    channel.sequencer.vouch(joined.lastSeq)
    channel.attach(session, joined.aclVersion)
    channel.mute(session.userId!, joined.mutedFor, joined.aclVersion)
    session.subscriptions.set(channelName, channel)
    if (channel.goBackTo(joined)) this.doubts.channels([channel.id])
    return channel
  }

  /** Starts live delivery after the reply to a join. Presence announces the user if this is their first subscription [P23]. */
  goLive (session: Session, channel: LocalChannel, seq: number): void {
    channel.goLive(session, seq)
    this.#deps.presence.enter(channel, session.person)
  }

  /** Ends one session's subscription; the user's membership stays. */
  unsubscribe (session: Session, channelName: string): void {
    const channel = session.subscriptions.get(channelName)
    if (channel) this.#unsubscribe(session, channel)
  }

  /**
   * Ends the subscriptions of users whose membership ended with this version of the channel. A subscription from a later join stays.
   * @returns the sessions whose subscription ended.
   */
  endSubscriptions (channel: LocalChannel, aclVersion: number, isGone: (userId: string) => boolean): Session[] {
    const ended = channel.subscribersBefore(aclVersion).filter(subscriber => isGone(subscriber.userId!)) as Session[]
    for (const session of ended) this.#unsubscribe(session, channel)
    return ended
  }

  /** Ends all subscriptions to a channel that was deleted [P24]. */
  endChannel (channel: LocalChannel, timestamp: string): void {
    const frame = encode({ type: 'channel_deleted', channel: channel.name, timestamp })
    for (const session of this.endSubscriptions(channel, Infinity, () => true)) session.notify(frame, 1)
  }

  /** Closes all connections of a user, or those of one login (`sid`). */
  disconnect (userId: string, reason: CloseName, sid?: string): void {
    for (const session of this.sessionsOf(userId)) {
      if (sid === undefined || (session.state.phase === 'authenticated' && session.state.sid === sid)) session.close(reason)
    }
  }

  /** Applies the database's state of a user who may be connected to this instance. */
  update ({ id, name, handle, role, disabled, disconnects }: UserState): void {
    for (const session of this.sessionsOf(id)) {
      const user = session.user!
      // Another instance ended the guest because it took this instance for dead. The client may come back as a new guest.
      if (disabled) session.close(user.guest ? 'service_restart' : 'disconnected')
      else if (user.disconnects < disconnects) session.close('disconnected')
      else Object.assign(user, { name, handle, role })
    }
  }

  /** Flushes the session at the end of this turn of the event loop. A trace has moments of that turn noted. */
  scheduleFlush (target: Flushable): void { this.#flusher.schedule(target) }

  #sendToAll (frame: Buffer): void {
    for (const sessions of this.#byUser.values()) for (const session of sessions) session.notify(frame, 1)
  }

  #onEvent (topic: Topic, event: BusEvent, isOwn: boolean): void {
    const id = idOf(topic)
    const channel = topic.startsWith('channel:') ? this.#channels.get(id) : undefined
    if (topic.startsWith('channel:') && !channel) return
    const { maxWaiting } = this.#deps
    // The run is larger than a hint may be, so the entries are read from the database.
    if (!isOwn && channel && event.kind === 'entries' && event.frames.length > maxWaiting) return this.doubts.channels([id])
    if (!isOwn) event = checkHint(topic, event, channel?.name, maxWaiting)
    if (topic === 'activity') return this.#deps.activity.receive(event)
    if (topic === 'watchers' || topic === 'stats') return this.#deps.watchers.receive(event)
    if (event.kind === 'control') {
      if (isOwn) this.#act(id, channel, event.action)
      else this.#look(id, channel, event.action)
    } else if (channel) {
      if (event.kind === 'notice') channel.notify(event)
      else if (this.#deps.tracer.isOn) this.#deps.tracer.accept(channel, event, isOwn)
      else channel.sequencer.accept(event)
    } else if (event.kind === 'notice') {
      if (topic === 'broadcast') this.#sendToAll(event.frame)
      else this.#notifyUser(id, event)
    }
  }

  #notifyUser (id: string, { frame, except }: NoticeEvent): void {
    const count = countFrames(frame)
    for (const session of this.sessionsOf(id)) if (session.id !== except) session.notify(frame, count)
  }

  /** Carries out an action that this instance has just committed, so it need not look it up in the database. */
  #act (id: string, channel: LocalChannel | undefined, action: ControlAction): void {
    if (action.type === 'direct_opened') this.doubts.direct(id)
    else if (action.type === 'disconnect') this.disconnect(id, action.reason, action.sid)
    else if (action.type === 'user_changed') {
      for (const { user } of this.sessionsOf(id)) Object.assign(user!, action.user)
    } else if (channel && action.type === 'channel_deleted') this.endChannel(channel, action.timestamp)
    else if (channel && action.type === 'settings_changed') this.doubts.channels([id])
    else if (channel && action.type === 'membership_ended') {
      const gone = new Set(action.userIds)
      this.endSubscriptions(channel, action.aclVersion, userId => gone.has(userId))
      if (!channel.reach(action.aclVersion)) this.doubts.channels([id])
    } else if (channel && action.type === 'mute_changed') {
      if (this.#byUser.has(action.userId)) channel.mute(action.userId, action.seconds * 1000, action.aclVersion)
      if (!channel.reach(action.aclVersion)) this.doubts.channels([id])
    }
  }

  /** Has an action that another instance reports looked up in the database before it takes effect [P60]. */
  #look (id: string, channel: LocalChannel | undefined, action: ControlAction): void {
    if (action.type === 'direct_opened') return this.doubts.direct(id)
    if (!channel) return this.doubts.user(id)
    if (action.type === 'membership_ended') {
      for (const userId of action.userIds) {
        if (!this.#byUser.has(userId)) continue
        channel.leaving.add(userId)
        for (const session of this.sessionsOf(userId)) channel.hold(session)
      }
    }
    if (action.type === 'mute_changed') channel.areMutesDoubted ||= this.#byUser.has(action.userId)
    this.doubts.channels([id])
  }

  #unsubscribe (session: Session, channel: LocalChannel): void {
    if (session.subscriptions.get(channel.name) === channel) session.subscriptions.delete(channel.name)
    if (!channel.detach(session)) return
    if (!this.#othersOf(session, channel)) {
      channel.forgetMute(session.userId!)
      this.#deps.presence.exit(channel, session.person)
    }
    if (!channel.empty) return
    channel.sequencer.close()
    this.#channels.delete(channel.id)
    if (this.#names.get(channel.name) === channel) this.#names.delete(channel.name)
    this.#deps.broker.unsubscribe(`channel:${channel.id}`)
  }

  /** Returns whether another connection of the same user is subscribed to the channel on this instance. */
  #othersOf (session: Session, channel: LocalChannel): boolean {
    for (const other of this.#byUser.get(session.userId!) ?? []) if (other !== session && channel.has(other)) return true
    return false
  }
}

/** The frame that tells clients whether the bus is up [P33]. */
function busState (connected: boolean): object {
  return { type: connected ? 'restored' : 'degraded', timestamp: new Date().toISOString() }
}

function idOf (topic: Topic): string {
  return topic.slice(topic.indexOf(':') + 1)
}
