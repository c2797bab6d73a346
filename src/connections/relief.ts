import type { OutboundMemory } from './backlog.ts'
import type { Session } from './session.ts'

/** When all connections together hold too much, those whose sockets have taken nothing for this many milliseconds are closed first. */
const IDLE_MS = 1000

/**
 * `[P52]` Closes connections when all of them together hold more than they may: first those whose sockets take nothing, the longest idle
 * first, and, if that was not enough a second ago, those that hold most. The returned function runs at every clock tick.
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
