import type { Telling } from '../store/directs.ts'
import { encode } from './frames.ts'
import type { Hub } from './hub.ts'

export interface DirectsDeps {
  hub: Pick<Hub, 'sessionsOf'>
  /** The direct channels of which members have had to be told within the last `ms` milliseconds, of the given users or of all. */
  toldWithin (ms: number, userIds?: string[]): Promise<Telling[]>
}

/**
 * Tells the users who are connected to this instance of direct channels in which somebody has written to them [P47]. Each is told once,
 * whether the bus has hinted at it or this instance has found it in the database by itself.
 */
export function createDirectNotices ({ hub, toldWithin }: DirectsDeps) {
  /** What was found before, by channel and user, and the time that it was of. */
  let found = new Map<string, number>()

  function tell (tellings: Telling[]): void {
    const timestamp = new Date().toISOString()
    for (const telling of tellings) {
      const { userId, at, channel } = telling
      const key = keyOf(telling)
      if (found.get(key) === at) continue
      found.set(key, at)
      const sessions = hub.sessionsOf(userId)
      if (sessions.length === 0) continue
      const frame = encode({ type: 'direct_opened', channel, timestamp })
      for (const session of sessions) session.notify(frame, 1)
    }
  }

  return {
    /** Looks for these users. */
    async check (ms: number, userIds: string[]): Promise<void> {
      tell(await toldWithin(ms, userIds))
    },

    /** Looks for all users, and forgets what is older than that. */
    async checkAll (ms: number): Promise<void> {
      const tellings = await toldWithin(ms)
      tell(tellings)
      found = new Map(tellings.map(telling => [keyOf(telling), telling.at]))
    }
  }
}

function keyOf ({ channel, userId }: Telling): string {
  return `${channel.id} ${userId}`
}
