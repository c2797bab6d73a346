import { getHeapStatistics } from 'node:v8'
import { closeTable } from '../errors.ts'
import type { Hub } from '../connections/hub.ts'
import type { Histogram } from '../histogram.ts'
import type { Stats } from '../schemas/stats.ts'
import { watchEventLoop } from './event-loop.ts'
import { createPing } from './ping.ts'
import type { MetricsSources } from './registry.ts'
import { percentile, type Counts } from './window.ts'

export interface SamplerSources extends Omit<MetricsSources, 'presence' | 'descriptors'> {
  /** Id of this instance. */
  instance: string
  busDriver: Stats['bus']['driver']
  /** Resolves once the database has answered. */
  pingDatabase (): Promise<unknown>
}

/** Milliseconds between two samples. */
const INTERVAL_MS = 1000
/** Rates and percentiles are about so many intervals. */
const WINDOW = 5
/** Milliseconds for which this instance goes on measuring after `current`, because the same caller mostly asks again soon. */
const LINGER_MS = 10_000

/** The counters that rates and percentiles are made of, at some moment. */
interface Moment { at: number, delivery: Counts, commit: Counts, publishes: number, deliveries: number, errors: number }

type Listener = (stats: Stats) => void

export type Sampler = ReturnType<typeof createSampler>

/**
 * Measures this instance once a second while somebody wants its numbers [P77]. Nothing runs and nothing is kept while nobody does. The
 * numbers come from the counters that `/metrics` reads, which exist whether metrics are configured or not.
 */
export function createSampler (sources: SamplerSources) {
  const startedAt = new Date(performance.timeOrigin).toISOString()
  const listeners = new Set<Listener>()
  const ping = createPing(sources.pingDatabase)
  let run: { timer: NodeJS.Timeout, loop: ReturnType<typeof watchEventLoop>, moments: Moment[] } | undefined
  let last: Stats | undefined
  let lingering: NodeJS.Timeout | undefined

  function begin (): void {
    ping.ask()
    run = { timer: setInterval(tick, INTERVAL_MS).unref(), loop: watchEventLoop(), moments: [momentOf(sources)] }
  }

  function end (): void {
    if (run === undefined) return
    clearInterval(run.timer)
    run.loop.stop()
    run = last = undefined
  }

  function tick (): void {
    const { loop, moments } = run!
    const now = momentOf(sources)
    last = {
      instance: sources.instance,
      started_at: startedAt,
      at: new Date().toISOString(),
      ...changesOf(sources, moments[0]!, now),
      ...stateOf(sources),
      database: { ...databaseOf(sources), ...ping.take() },
      event_loop: loop.take(),
      memory: memory()
    }
    moments.push(now)
    if (moments.length > WINDOW) moments.shift()
    ping.ask()
    for (const listener of [...listeners]) listener(last)
  }

  function watch (listener: Listener): () => void {
    listeners.add(listener)
    if (run === undefined) begin()
    return () => {
      if (listeners.delete(listener) && listeners.size === 0) end()
    }
  }

  return {
    /** Calls the listener with each sample until the returned function is called. */
    watch,

    /** The newest sample, at most a second old. The first one takes a second. */
    async current (): Promise<Stats> {
      clearTimeout(lingering)
      const leave = watch(rest)
      lingering = setTimeout(leave, LINGER_MS).unref()
      return last ?? new Promise(resolve => {
        const forget = watch(stats => {
          forget()
          resolve(stats)
        })
      })
    },

    stop (): void {
      clearTimeout(lingering)
      listeners.clear()
      end()
    }
  }
}

/** Keeps the sampler running without using its samples. */
function rest (): void {}

function momentOf ({ traffic, publisher }: SamplerSources): Moment {
  return {
    at: performance.now(),
    delivery: [...traffic.delivery.counts],
    commit: [...publisher.commitSeconds.counts],
    publishes: publisher.batchSizes.sum,
    deliveries: traffic.sent.entry,
    errors: Object.values(traffic.errors).reduce((sum, count) => sum + count)
  }
}

/** Rates and percentiles between two moments. */
function changesOf ({ traffic, publisher }: SamplerSources, before: Moment, now: Moment) {
  const windowMs = Math.max(1, Math.round(now.at - before.at))
  const flow = (name: 'publishes' | 'deliveries' | 'errors') =>
    ({ total: now[name], per_second: (now[name] - before[name]) * 1000 / windowMs })
  const spread = (name: 'delivery' | 'commit', { bounds }: Histogram) => {
    const at = (share: number): number | null => {
      const seconds = percentile(bounds, before[name], now[name], share)
      return seconds === null ? null : seconds * 1000
    }
    return { p50_ms: at(0.5), p99_ms: at(0.99) }
  }
  return {
    window_ms: windowMs,
    publishes: flow('publishes'),
    deliveries: flow('deliveries'),
    errors: flow('errors'),
    delivery: spread('delivery', traffic.delivery),
    commit: spread('commit', publisher.commitSeconds)
  }
}

/** Reads the numbers of this moment. */
function stateOf ({ maxConnections, hub, inboxes, outbound, traffic, publisher, broker, busDriver }: SamplerSources) {
  const { messages, age } = publisher.backlog()
  const { found, repaired } = traffic.gaps
  return {
    ...countSessions(hub, maxConnections, traffic.opened),
    channels: [...hub.channels()].length,
    queue: { messages, oldest_ms: age * 1000 },
    inbound_bytes: inboxes.used,
    outbound_bytes: outbound.bytes,
    slow_consumers_total: traffic.closes[closeTable.slow_consumer.code]!,
    gaps: { found_total: found, repaired_total: repaired },
    bus: { driver: busDriver, up: broker.connected, dropped_total: broker.dropped }
  }
}

function countSessions (hub: Hub, max: number, opened: number) {
  const users = new Set<string>()
  let [authenticated, behind, subscriptions] = [0, 0, 0]
  for (const session of hub.sessions()) {
    if (session.state.phase === 'authenticated') {
      authenticated++
      users.add(session.state.user.id)
    }
    if (session.backlog !== null) behind++
    subscriptions += session.subscriptions.size
  }
  return { connections: { open: hub.size, max, authenticated, behind, opened_total: opened }, users_online: users.size, subscriptions }
}

function databaseOf ({ database }: SamplerSources) {
  const { kind, full } = database
  return { kind, full, pool: database.pool() ?? null }
}

function memory (): Stats['memory'] {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  return { rss_bytes: residentBytes(), heap_used_bytes: used, heap_limit_bytes: limit }
}

/** Null when the process is out of file descriptors: the number is read from a file. */
function residentBytes (): number | null {
  try {
    return process.memoryUsage.rss()
  } catch {
    return null
  }
}
