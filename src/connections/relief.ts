import type { OutboundMemory } from './backlog.ts'
import type { Session } from './session.ts'

/** With no room left for all connections together, one whose socket has taken nothing for so many milliseconds goes first. */
const IDLE_MS = 1000

/**
 * `[P52]` Where all connections together hold more than they may, those are ended whose sockets take nothing, the longest idle first;
 * where that was not enough a second ago, those that hold most. To be called at every tick of the clock.
 */
export function createRelief (outbound: OutboundMemory) {
  let wasFull = false

  return function relieve (sessions: Iterable<Session>, now: number): void {
    const stillFull = wasFull && outbound.isFull
    wasFull = outbound.isFull
    if (!outbound.isFull) return
    const behind = [...sessions].flatMap(session => {
      const { backlog } = session
      return backlog === null ? [] : [{ session, bytes: backlog.bytes, progressAt: backlog.progressAt }]
    })
    const idle = behind.filter(({ progressAt }) => now - progressAt >= IDLE_MS).sort((a, b) => a.progressAt - b.progressAt)
    const largest = stillFull ? behind.sort((a, b) => b.bytes - a.bytes) : []
    for (const { session } of [...idle, ...largest]) {
      if (!outbound.isFull) return
      session.close('slow_consumer')
    }
  }
}
