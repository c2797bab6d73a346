import { uuidv7 } from 'uuidv7'
import type { Config } from '../config.ts'
import { PROTOCOL_VERSION } from '../schemas/protocol.ts'
import { createClock } from './clock.ts'
import { encode } from './codec.ts'
import { createCommands, type CommandDeps } from './commands.ts'
import { Session, type SessionLimits, type Transport } from './session.ts'

export interface RealtimeDeps extends Omit<CommandDeps, 'authenticationEnabled' | 'resumeLimit' | 'maxReplay'> {
  config: Pick<Config, 'server' | 'authentication' | 'channels' | 'performance'>
  onFault (error: unknown): void
}

/** Over how long clients spread their return after a drain, in milliseconds: the more, the longer. */
const MIN_SPREAD_MS = 1000
const SPREAD_PER_CLIENT_MS = 5
const MAX_SPREAD_MS = 30_000

/** The life of connections, from welcome to goodbye, without a word about HTTP. */
export function createRealtime ({ config, onFault, ...services }: RealtimeDeps) {
  const { server, authentication, channels, performance } = config
  const { hub, guests } = services
  const commands = createCommands({
    ...services,
    authenticationEnabled: authentication.enabled,
    resumeLimit: channels.resume_limit,
    maxReplay: performance.max_buffered / 2
  })
  const limits: SessionLimits = {
    authenticationTimeout: authentication.timeout * 1000,
    connectionTimeout: performance.connection_timeout * 1000,
    heartbeatInterval: performance.heartbeat_interval * 1000,
    pongTimeout: performance.pong_timeout * 1000,
    maxBuffered: performance.max_buffered
  }
  let draining = false
  let emptied: () => void = () => {}
  const clock = createClock(now => {
    for (const session of hub.sessions()) {
      try {
        session.tick(now)
      } catch (error) {
        onFault(error)
      }
    }
  })
  const endingGuests = new Set<Promise<void>>()
  function endGuest (id: string): void {
    const ending = guests.end(id).catch(onFault).finally(() => endingGuests.delete(ending))
    endingGuests.add(ending)
  }
  const scheduleFlush = (session: Session): void => hub.scheduleFlush(session)

  return {
    /** A connection is open: it is welcomed [P6], and its frames may come. */
    open (transport: Transport): Session {
      const session = new Session(uuidv7(), { transport, now: clock.now, limits, ...commands, scheduleFlush, onFault })
      hub.add(session)
      session.send(encode({
        type: 'welcome',
        connection_id: session.id,
        server_time: new Date().toISOString(),
        protocol: PROTOCOL_VERSION,
        heartbeat_interval: performance.heartbeat_interval,
        connection_timeout: performance.connection_timeout,
        max_payload: server.max_payload
      }))
      return session
    },

    /** The connection is gone. A guest goes with it [P16]. */
    closed (session: Session): void {
      try {
        hub.remove(session)
      } catch (error) {
        onFault(error)
      }
      if (session.user?.guest) endGuest(session.user.id)
      if (hub.size === 0) emptied()
    },

    /** No connection may be opened any more. */
    get draining (): boolean { return draining },

    /**
     * Ends all connections, for a restart: nothing new is taken, what is queued is committed and acked, then every client
     * is told to come back, each after another while. Whoever does not answer the close frame is cut.
     */
    async drain (published: () => Promise<void>): Promise<void> {
      draining = true
      for (const session of hub.sessions()) session.suspend()
      await published()
      const clients = [...hub.sessions()]
      const spread = Math.min(MAX_SPREAD_MS, MIN_SPREAD_MS + clients.length * SPREAD_PER_CLIENT_MS)
      for (const session of clients) session.close('service_restart', ` retry_after_ms=${Math.floor(Math.random() * spread)}`)
      if (hub.size > 0) await new Promise<void>(resolve => { emptied = resolve })
      await Promise.all(endingGuests)
      clock.stop()
    }
  }
}

export type Realtime = ReturnType<typeof createRealtime>
