import { uuidv7 } from 'uuidv7'
import type { Config } from '../config-schema.ts'
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
  /** Null: nothing is limited. */
  limits: Limits | null
  /** Counts the bytes of the requests that wait on all connections. */
  inboxes: InboxBudget
  /** Counts the bytes that all connections hold for their sockets. */
  outbound: OutboundMemory
  hub: Hub
  traffic: Traffic
  requests: SessionRequests
  guests: Pick<Guests, 'end'>
  onFault (error: unknown, where?: FaultPlace): void
  /** Called when a connection has ended. */
  onEnd (life: Life): void
}

/** Milliseconds over which clients spread their return after a drain: the minimum, the increase for each client, the maximum. */
const MIN_SPREAD_MS = 1000
const SPREAD_PER_CLIENT_MS = 5
const MAX_SPREAD_MS = 30_000
/** Shares of a drain's time: the first ends the wait for commits of queued messages, the second the wait for answers to close frames. */
const PUBLISHED_BY = 0.6
const ANSWERED_BY = 0.8
/** Milliseconds that clients have to answer the close frame: the minimum, the increase for each authenticated client, the maximum. */
const MIN_ANSWER_MS = 1500
const ANSWER_PER_CLIENT_MS = 5
const MAX_ANSWER_MS = 5000

/** Opens, tracks, closes and drains connections. It is independent of HTTP. */
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
    /** Has the requests of all connections read and answered by these from now on, instead of by `requests`. */
    answerBy (others: SessionRequests): void { sessionDeps.requests = others },

    /** Creates the session of a new connection and sends its welcome [P6]. `subject`: the address or network whose limits bind it. */
    open (transport: Transport, subject: string): Session {
      const session = new Session(uuidv7(), transport, subject, limits?.connect(subject) ?? null, sessionDeps)
      hub.add(session)
      traffic.opened++
      traffic.sent.welcome++
      session.sendNow(encode({
        type: 'welcome',
        connection_id: session.id,
        server_time: new Date().toISOString(),
        protocol: PROTOCOL_VERSION,
        heartbeat_interval: performance.heartbeat_interval,
        connection_timeout: performance.connection_timeout,
        max_payload: server.max_payload
      }))
      // The upgrade began before the drain and ended after it began.
      if (draining) sendAway(session)
      return session
    },

    /** Removes the session of a connection that has ended with this close code. A guest ends with it [P16]. */
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

    /** True once a drain has begun: no further connection may be opened. */
    get draining (): boolean { return draining },

    /**
     * Ends all connections for a restart: it takes no new requests, waits until queued messages are committed and acked, then tells every
     * client to reconnect, each after a different delay. It cuts connections whose clients do not answer the close frame. The drain takes
     * at most `within` milliseconds, even if the database does not answer: messages that are not committed by then get no ack.
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

/** Summarizes a session for the log. It must run before `hub.remove`, which clears the reason for the close. */
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
