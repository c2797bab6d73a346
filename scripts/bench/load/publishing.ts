import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Sink } from './connection.ts'
import { createMeter } from './meter.ts'
import type { PublishPlan, PublishResult } from './protocol.ts'
import { Publisher } from './publisher.ts'
import { MARK, now, readPublisher, readSlot, readTime } from './stamp.ts'

/** A warm-up also lasts until this many deliveries arrived, so that no cold server is measured, but at most until the limit. */
const WARM_DELIVERIES = 10_000
const WARM_UP_LIMIT_MS = 30_000
/** Time after the warm-up in which an open loop reaches its pace. */
const SETTLING_MS = 1000
/** Time to wait for the last deliveries; later ones count as missing. */
export const PATIENCE_MS = 15_000

/** Lets some of the connections publish and counts what all of them receive. It replaces the callbacks of `sink` with its own. */
export async function publish (plan: PublishPlan, connections: Connection[], sink: Sink): Promise<PublishResult> {
  const meter = createMeter(plan)
  const audience = audiences(connections)
  const publishers = choose(plan, connections)
  const byConnection = new Map(publishers.map(publisher => [publisher.connection, publisher]))
  const counts = { sent: 0, acked: 0, expected: 0 }
  const read = () => ({ sent: counts.sent, acked: counts.acked, delivered: sink.deliveries })
  const isSettled = (): boolean => sink.deliveries >= counts.expected && (!plan.acked || counts.acked >= counts.sent)
  const { pace } = plan
  /** What a publisher awaits before it publishes again. An open loop warms up as a closed one, because a calm pace would take minutes. */
  let awaited: 'ack' | 'echo' | 'nothing' = 'rate' in pace ? 'echo' : pace.until

  function flush (publisher: Publisher): void {
    const sent = publisher.flush()
    counts.sent += sent
    counts.expected += sent * audience.get(publisher.connection.target.channel)!
  }

  for (const connection of connections) connection.watched = 'rate' in pace || byConnection.has(connection)
  sink.deliveries = 0
  sink.delivered = (connection, bytes, from) => {
    const stamp = bytes.indexOf(MARK, from)
    meter.delivered(now() - readTime(bytes, stamp))
    if (awaited !== 'echo') return
    const publisher = publishers[readPublisher(bytes, stamp)]!
    if (publisher.connection === connection) publisher.free(readSlot(bytes, stamp))
  }
  sink.acked = (connection, bytes, from, to) => {
    counts.acked++
    if (awaited !== 'ack') return
    const publisher = byConnection.get(connection)!
    const slot = connection.target.dialect.slotOf(bytes, from, to)
    meter.acked(now() - publisher.sentAt(slot))
    publisher.free(slot)
  }
  sink.settled = connection => {
    const publisher = byConnection.get(connection)
    if (publisher) flush(publisher)
  }

  for (const publisher of publishers) {
    for (let slot = 0; slot < publisher.slots; slot++) publisher.free(slot)
    flush(publisher)
  }
  await delay(plan.warmUp * 1000)
  await until(() => sink.deliveries >= WARM_DELIVERIES, WARM_UP_LIMIT_MS)
  let stopPacing: (() => void) | undefined
  if ('rate' in pace) {
    awaited = 'nothing'
    await until(isSettled, PATIENCE_MS)
    stopPacing = keepPace(pace.rate, publishers, flush)
    await delay(SETTLING_MS)
  }
  meter.start()
  const before = read()
  await delay(plan.measure * 1000)
  const after = read()
  const measured = meter.stop()
  awaited = 'nothing'
  stopPacing?.()
  await until(isSettled, PATIENCE_MS)
  return {
    ...measured,
    sent: after.sent - before.sent,
    acked: after.acked - before.acked,
    delivered: after.delivered - before.delivered,
    missing: counts.expected - sink.deliveries
  }
}

function choose ({ publishers, pace, acked }: PublishPlan, connections: Connection[]): Publisher[] {
  const slots = 'inFlight' in pace ? pace.inFlight : 1
  return Array.from({ length: publishers }, (_, number) =>
    new Publisher(connections[Math.floor(number * connections.length / publishers)]!, { number, slots, acked }))
}

/** Publishes at a fixed rate; the publishers take turns. Messages that a late timer missed follow at once. @returns a stop function. */
export function keepPace (rate: number, publishers: Publisher[], flush: (publisher: Publisher) => void): () => void {
  const began = performance.now()
  let published = 0
  let timer: NodeJS.Timeout
  function tick (): void {
    const due = (performance.now() - began) * rate / 1000
    for (; published < due; published++) {
      const publisher = publishers[published % publishers.length]!
      publisher.free(0)
      flush(publisher)
    }
    timer = setTimeout(tick, Math.max(0, began + published * 1000 / rate - performance.now()))
  }
  tick()
  return () => clearTimeout(timer)
}

/** The number of connections that receive the messages of each channel. */
export function audiences (connections: Connection[]): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { target: { channel } } of connections) sizes.set(channel, (sizes.get(channel) ?? 0) + 1)
  return sizes
}

export async function until (complete: () => boolean, limit: number): Promise<void> {
  const deadline = performance.now() + limit
  while (!complete() && performance.now() < deadline) await delay(5)
}
