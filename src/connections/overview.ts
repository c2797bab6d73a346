import type { LiveConnection } from '../schemas/connection.ts'
import type { Hub } from './hub.ts'
import type { Session } from './session.ts'

/** Milliseconds without progress after which a client with queued bytes counts as not reading, rather than as slow. */
const NOT_READING_MS = 2000

export type Overview = ReturnType<typeof createOverview>

/**
 * Shows this instance's connections to admins [P79].
 * @param networkOf cuts an address short; null for a text that is not an address.
 */
export function createOverview (hub: Hub, networkOf: (address: string) => string | null) {
  return {
    /** The first `most` connections with an id after `after`, of one user or of all. The hub has them in the order of their ids. */
    list (after: string | undefined, most: number, userId: string | undefined): LiveConnection[] {
      const found: LiveConnection[] = []
      for (const session of userId === undefined ? hub.sessions() : hub.sessionsOf(userId)) {
        if (found.length === most) break
        if (after === undefined || session.id > after) found.push(describe(session, networkOf))
      }
      return found
    },

    find (id: string): Session | undefined {
      for (const session of hub.sessions()) if (session.id === id) return session
      return undefined
    }
  }
}

function describe (session: Session, networkOf: (address: string) => string | null): LiveConnection {
  const { id, user, transport, openedAt, subscriptions, load } = session
  const ago = (ms: number): string => new Date(Date.now() - ms).toISOString()
  return {
    id,
    user_id: user?.id ?? null,
    username: user?.name ?? null,
    handle: user?.handle ?? null,
    is_guest: user?.guest ?? false,
    address: networkOf(transport.address),
    since: ago(performance.now() - openedAt),
    channels: subscriptions.size,
    waiting_requests: load.waitingRequests,
    queued_bytes: load.queuedBytes,
    slow_since: load.behind === null ? null : ago(load.behind.sinceMs),
    last_taken_at: load.behind === null ? null : ago(load.behind.idleMs),
    state: stateOf(session)
  }
}

/** Returns the state; if several hold, the first of this list. */
function stateOf ({ state: { phase }, load: { behind, isHeldBack } }: Session): LiveConnection['state'] {
  if (phase === 'closing') return 'closing'
  if (phase === 'open') return 'not_authenticated'
  if (behind !== null) return behind.idleMs >= NOT_READING_MS ? 'not_reading' : 'falling_behind'
  return isHeldBack ? 'flooding' : 'ok'
}
