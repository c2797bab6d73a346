import { bytes, count, ms, percent } from './format.ts'
import type { Stats } from './stats.ts'
import { a } from './text.ts'

/** A figure of the server's health. Each of its lines has a number of its own, and is drawn into the same chart. */
export interface Figure {
  title: string
  lines: Array<{ name: string, of (stats: Stats): number | null }>
  format (value: number): string
  /** A line below the numbers. */
  about? (stats: Stats): string
  /** Says in a word how it is. */
  state? (stats: Stats): { text: string, isGood: boolean }
}

const { figures, words } = a.health
const spread = (of: (stats: Stats) => { p50_ms: number | null, p99_ms: number | null }): Figure['lines'] => [
  { name: words.median, of: stats => of(stats).p50_ms },
  { name: words.p99, of: stats => of(stats).p99_ms }
]
const alone = (of: (stats: Stats) => number | null): Figure['lines'] => [{ name: words.now, of }]

/** The figures in the order in which they are shown, by what they are about. */
export const groups: Array<{ title: string, figures: Figure[] }> = [
  {
    title: a.health.groups.messages,
    figures: [
      { title: figures.delivery, lines: spread(stats => stats.delivery), format: ms, about: () => a.health.aboutDelivery },
      { title: figures.commit, lines: spread(stats => stats.commit), format: ms, about: () => a.health.aboutCommit },
      {
        title: figures.publishes, lines: alone(stats => stats.publishes.per_second), format: count,
        about: stats => a.health.total(count(stats.publishes.total))
      },
      {
        title: figures.deliveries, lines: alone(stats => stats.deliveries.per_second), format: count,
        about: stats => a.health.total(count(stats.deliveries.total))
      },
      {
        title: figures.queue, lines: alone(stats => stats.queue.messages), format: count,
        about: stats => a.health.oldest(ms(stats.queue.oldest_ms))
      }
    ]
  },
  {
    title: a.health.groups.people,
    figures: [
      {
        title: figures.connections, lines: alone(stats => stats.connections.open), format: count,
        about: stats => a.health.atMost(count(stats.connections.max))
      },
      {
        title: figures.online, lines: alone(stats => stats.users_online), format: count,
        about: stats => a.health.subscriptions(count(stats.subscriptions))
      },
      { title: figures.outbound, lines: alone(stats => stats.outbound_bytes), format: bytes, about: () => a.health.aboutOutbound },
      {
        title: figures.slow, lines: alone(stats => stats.connections.behind), format: count,
        about: stats => a.health.closedSlow(count(stats.slow_consumers_total))
      }
    ]
  },
  {
    title: a.health.groups.machine,
    figures: [
      {
        title: figures.database, lines: [{ name: words.roundTrip, of: stats => stats.database.ping_ms }], format: ms,
        about: ({ database: { pool } }) => pool ? a.health.pool(pool.used, pool.max, pool.waiting) : a.health.embedded,
        state: ({ database: { up, full } }) => up && !full ? good : bad(full ? words.full : words.down)
      },
      {
        title: figures.bus, lines: [{ name: words.dropped, of: stats => stats.bus.dropped_total }], format: count,
        about: stats => a.health.drivers[stats.bus.driver],
        state: ({ bus: { up } }) => up ? good : bad(words.down)
      },
      {
        title: figures.eventLoop, lines: spread(stats => stats.event_loop), format: ms,
        about: stats => a.health.busy(percent(stats.event_loop.utilization))
      },
      {
        title: figures.memory, lines: [{ name: words.process, of: stats => stats.memory.rss_bytes }], format: bytes,
        about: ({ memory }) => a.health.heap(bytes(memory.heap_used_bytes), bytes(memory.heap_limit_bytes))
      }
    ]
  }
]

const good = { text: words.up, isGood: true }
const bad = (text: string): { text: string, isGood: boolean } => ({ text, isGood: false })
