import { createTimer, type Clock } from './clock.ts'
import type { Notices, Person } from './wire.ts'

/** Milliseconds after which somebody is no longer shown as typing [P42]. */
const FORGOTTEN_AFTER = 6000
/** Milliseconds between two signals while somebody goes on typing. */
const REPEATED_AFTER = 3000
/** Most signals in a second; the server takes 10 from one connection [P42]. */
const MAX_A_SECOND = 8

/** Follows who is typing in a channel, and tells the others when this user does. `send` passes a signal to the server, if it can. */
export function createTyping ({ clock, send, onChange }: { clock: Clock, send (event: string, data?: unknown): void, onChange (): void }) {
  const typing = new Map<string, { person: Person, until: number }>()
  const timer = createTimer(clock, forget)
  let shown: readonly Person[] = []
  /** When this user was last said to be typing, 0 for not. */
  let saidAt = 0
  let second = 0
  let sent = 0

  function changed (): void {
    shown = [...typing.values()].map(({ person }) => person)
    onChange()
  }

  function forget (): void {
    const now = clock.now()
    const before = typing.size
    for (const [id, { until }] of typing) if (until <= now) typing.delete(id)
    const [next] = typing.values()
    if (next) timer.start(next.until - now)
    if (typing.size < before) changed()
  }

  function stopped (userId: string): void {
    if (typing.delete(userId)) changed()
  }

  function signal (event: string, data?: unknown): void {
    const now = clock.now()
    if (now - second >= 1000 || now < second) [second, sent] = [now, 0]
    if (sent++ < MAX_A_SECOND) send(event, data)
  }

  return {
    list: (): readonly Person[] => shown,
    stopped,

    /** A signal came from somebody. */
    received ({ event, user_id, username, data }: Notices['signal']): void {
      if (event !== 'typing') return
      if ((data as { typing?: unknown } | null)?.typing !== true) return stopped(user_id)
      // The order is that of the times at which they are forgotten.
      const isNew = !typing.delete(user_id)
      typing.set(user_id, { person: { user_id, username }, until: clock.now() + FORGOTTEN_AFTER })
      if (!timer.isRunning) timer.start(FORGOTTEN_AFTER)
      if (isNew) changed()
    },

    signal,

    /** Says whether this user is typing, no more often than it is news. */
    say (isOn: boolean): void {
      const now = clock.now()
      if (isOn ? now - saidAt < REPEATED_AFTER : saidAt === 0) return
      saidAt = isOn ? now : 0
      signal('typing', { typing: isOn })
    },

    /** This user has sent a message, which says that they do not type any more. */
    sent (): void { saidAt = 0 },

    clear (): void {
      timer.stop()
      saidAt = 0
      if (typing.size > 0) {
        typing.clear()
        changed()
      }
    }
  }
}
