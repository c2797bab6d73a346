import { Value } from '@sinclair/typebox/value'
import type { Broker, BusEvent } from '../broker/broker.ts'
import { Stats } from '../schemas/stats.ts'
import { encode } from './frames.ts'
import type { Session } from './session.ts'

/** Milliseconds between two times at which this instance tells the others that somebody watches, and for which they believe it. */
const RENEW_MS = 3000
const LEASE_MS = 10_000
/** Milliseconds between two frames of another instance that are passed on, at least. It sends one a second. */
const SPACING_MS = 500
/** Other instances whose numbers are passed on, at most. */
const MAX_INSTANCES = 64

export type Watchers = ReturnType<typeof createWatchers>

/**
 * Sends the numbers of all instances to the connections of admins that watch them, once a second [P77] [P78]. An instance measures and
 * publishes its numbers only while one of its own connections watches, or an instance where one does has said so lately. The samples are
 * the only clock: no connection has a timer.
 * @param sample calls its listener with each sample of this instance until the returned function is called.
 */
export function createWatchers ({ broker, sample }: { broker: Broker, sample: (listener: (stats: Stats) => void) => () => void }) {
  const sessions = new Set<Session>()
  /** When each other instance's numbers were last passed on. */
  const heard = new Map<string, number>()
  /** Until when another instance wants this one's numbers, and when this instance last said that it wants theirs. */
  let wantedUntil = -Infinity
  let saidAt = -Infinity
  let stop: (() => void) | undefined

  broker.subscribe('watchers')

  function onSample (stats: Stats): void {
    const now = performance.now()
    for (const session of sessions) if (!mayWatch(session)) unwatch(session)
    if (now < wantedUntil) broker.publish('stats', { kind: 'control', action: { type: 'stats_taken', stats } }, 'elsewhere')
    if (sessions.size > 0) {
      tell(stats)
      if (now - saidAt >= RENEW_MS) want(now)
    } else if (now >= wantedUntil) {
      stop?.()
      stop = undefined
    }
  }

  function want (now: number): void {
    saidAt = now
    broker.publish('watchers', { kind: 'control', action: { type: 'stats_wanted' } }, 'elsewhere')
  }

  /** The frame is dropped for a connection that does not keep up, like a signal: the next one follows in a second. */
  function tell (stats: Stats): void {
    const frame = encode({ type: 'stats', ...stats })
    for (const session of sessions) session.signal(frame)
  }

  function unwatch (session: Session): void {
    if (!sessions.delete(session) || sessions.size > 0) return
    broker.unsubscribe('stats')
    heard.clear()
  }

  /** Passes on the numbers of another instance. Nobody can confirm them, so they only have their form, and a bounded rate. */
  function pass (stats: Stats): void {
    const now = performance.now()
    for (const [instance, at] of heard) if (now - at >= LEASE_MS) heard.delete(instance)
    const before = heard.get(stats.instance)
    if (before === undefined ? heard.size >= MAX_INSTANCES : now - before < SPACING_MS) return
    heard.set(stats.instance, now)
    // A later release may know more numbers, which no schema of this one names.
    tell(Value.Clean(Stats, stats) as Stats)
  }

  return {
    /** Sends the numbers to this connection from now on, while its user is an admin as far as this instance knows [P60]. */
    watch (session: Session): void {
      if (sessions.size === 0) {
        broker.subscribe('stats')
        want(performance.now())
      }
      sessions.add(session)
      stop ??= sample(onSample)
    },

    unwatch,

    /** Takes what another instance has published. */
    receive (event: BusEvent): void {
      if (event.kind !== 'control') return
      if (event.action.type === 'stats_taken') return pass(event.action.stats)
      if (event.action.type !== 'stats_wanted') return
      wantedUntil = performance.now() + LEASE_MS
      stop ??= sample(onSample)
    }
  }
}

function mayWatch ({ closing, user }: Session): boolean {
  return !closing && user?.role === 'admin'
}
