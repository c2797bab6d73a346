import { randomUUID } from 'node:crypto'
import type { Config } from '../config.ts'
import { createCountdown, resolvesWithin } from '../deadline.ts'
import { closeTable } from '../errors.ts'
import { PROTOCOL_VERSION } from '../schemas/protocol.ts'
import type { Guests } from '../services/guests.ts'
import type { OutboundMemory } from './backlog.ts'
import { createClock } from './clock.ts'
import { encode } from './frames.ts'
import type { Hub } from './hub.ts'
import type { InboxBudget } from './inbox-budget.ts'
import type { Limits } from './limits.ts'
import { createRelief } from './relief.ts'
import { Session, type FaultPlace, type SessionDeps, type SessionLimits, type SessionRequests } from './session.ts'
import { countEnd, type Life, type Traffic } from './traffic.ts'
import type { Transport } from './transport.ts'
import { Turns } from './turns.ts'

export interface ConnectionsDeps {
  config: Pick<Config, 'server' | 'authentication' | 'performance' | 'limits'>
  /** Null: none. */
  limits: Limits | null
  /** What all connections hold of requests that wait. */
  inboxes: InboxBudget
  /** What all connections hold for their sockets. */
  outbound: OutboundMemory
  hub: Hub
  traffic: Traffic
  requests: SessionRequests
  guests: Pick<Guests, 'end'>
  onFault (error: unknown, where?: FaultPlace): void
  /** A connection is gone: what there was to it. */
  onEnd (life: Life): void
}

/** Over how long clients spread their return after a drain, in milliseconds: the more, the longer. */
const MIN_SPREAD_MS = 1000
const SPREAD_PER_CLIENT_MS = 5
const MAX_SPREAD_MS = 30_000
/** Of a drain's time, until when queued messages may be committed, and until when clients may answer the close frame. */
const PUBLISHED_BY = 0.6
const ANSWERED_BY = 0.8
/** How long clients have for it, in milliseconds: the more there are who have made themselves known, the longer. */
const MIN_ANSWER_MS = 1500
const ANSWER_PER_CLIENT_MS = 5
const MAX_ANSWER_MS = 5000

/** The life of connections, from welcome to goodbye, without a word about HTTP. */
export function createConnections (
  { config, limits, inboxes, outbound, hub, traffic, requests, guests, onFault, onEnd }: ConnectionsDeps
) {
  const { server, authentication, performance } = config
  const sessionLimits: SessionLimits = {
    authenticationTimeout: authentication.timeout * 1000,
    connectionTimeout: performance.connection_timeout * 1000,
    heartbeatInterval: performance.heartbeat_interval * 1000,
    pongTimeout: performance.pong_timeout * 1000,
    maxBuffered: performance.max_buffered,
    maxPayload: server.max_payload,
    unauthenticatedFrame: limits === null ? server.max_payload : Math.min(config.limits.unauthenticated_frame_bytes, server.max_payload)
  }
  let draining = false
  let spread = MIN_SPREAD_MS
  let emptied: () => void = () => {}
  const relieve = createRelief(outbound)
  const clock = createClock(now => {
    for (const session of hub.sessions()) {
      try {
        session.tick(now)
      } catch (error) {
        onFault(error, { connection: session.id })
      }
    }
    relieve(hub.sessions(), now)
    limits?.sweep()
  })
  const endingGuests = new Set<Promise<void>>()
  function endGuest (id: string): void {
    const ending = guests.end(id).catch(onFault).finally(() => endingGuests.delete(ending))
    endingGuests.add(ending)
  }
  const sessionDeps: SessionDeps = {
    traffic,
    now: clock.now,
    limits: sessionLimits,
    inboxes,
    largeFrames: new Turns(),
    memory: outbound,
    requests,
    scheduleFlush: session => hub.scheduleFlush(session),
    onFault
  }
  const sendAway = (session: Session): void =>
    session.close('service_restart', ` retry_after_ms=${Math.floor(Math.random() * spread)}`)

  return {
    /** A connection is open: it is welcomed [P6], and its frames may come. `subject` is whom its limits by address bind. */
    open (transport: Transport, subject: string): Session {
      const session = new Session(randomUUID(), transport, limits?.connect(subject) ?? null, sessionDeps)
      hub.add(session)
      traffic.opened++
      traffic.sent.welcome++
      session.send(encode({
        type: 'welcome',
        connection_id: session.id,
        server_time: new Date().toISOString(),
        protocol: PROTOCOL_VERSION,
        heartbeat_interval: performance.heartbeat_interval,
        connection_timeout: performance.connection_timeout,
        max_payload: server.max_payload
      }), 1)
      // Its upgrade was under way when the drain began.
      if (draining) sendAway(session)
      return session
    },

    /** The connection is gone, its close frame had this `code`. A guest goes with it [P16]. */
    closed (session: Session, code: number): void {
      const life = lifeOf(session, code)
      try {
        hub.remove(session)
      } catch (error) {
        onFault(error, { connection: session.id })
      }
      countEnd(traffic, life)
      onEnd(life)
      if (session.user?.guest) endGuest(session.user.id)
      if (hub.size === 0) emptied()
    },

    /** No connection may be opened any more. */
    get draining (): boolean { return draining },

    /**
     * Ends all connections, for a restart: nothing new is taken, what is queued is committed and acked, then every client
     * is told to come back, each after another while. Whoever does not answer the close frame is cut. All of it takes at most
     * `within` milliseconds, also where the database is silent: what it has not committed by then has no ack.
     */
    async drain (published: () => Promise<void>, within: number): Promise<void> {
      const timeLeft = createCountdown(within)
      draining = true
      for (const session of hub.sessions()) session.suspend()
      await resolvesWithin(published(), timeLeft(PUBLISHED_BY))
      spread = Math.min(MAX_SPREAD_MS, MIN_SPREAD_MS + hub.size * SPREAD_PER_CLIENT_MS)
      const known = [...hub.sessions()].filter(({ user }) => user !== null).length
      const patience = Math.min(MAX_ANSWER_MS, MIN_ANSWER_MS + known * ANSWER_PER_CLIENT_MS)
      const empty = hub.size === 0 ? Promise.resolve() : new Promise<void>(resolve => { emptied = resolve })
      for (const session of [...hub.sessions()]) sendAway(session)
      if (!await resolvesWithin(empty, Math.min(patience, timeLeft(ANSWERED_BY)))) {
        for (const session of [...hub.sessions()]) session.cut()
      }
      await resolvesWithin(empty.then(() => Promise.all(endingGuests)), timeLeft())
      clock.stop()
    }
  }
}

/** To be taken while the session is still in the state that it ended in. */
function lifeOf ({ id, userId, state, openedAt, framesReceived, framesSent, transport }: Session, code: number): Life {
  const { address, bytesReceived, bytesSent } = transport
  return {
    connection: id,
    user: userId,
    address,
    seconds: (Math.round(performance.now()) - openedAt) / 1000,
    code,
    reason: state.phase === 'closing' && state.reason !== undefined ? closeTable[state.reason].reason : undefined,
    framesReceived,
    framesSent,
    bytesReceived,
    bytesSent
  }
}

export type Connections = ReturnType<typeof createConnections>
