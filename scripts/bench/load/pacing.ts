import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Sink } from './connection.ts'
import type { PacePlan, PaceResult } from './protocol.ts'
import { Publisher } from './publisher.ts'
import { audiences, keepPace, PATIENCE_MS, until } from './publishing.ts'

/** A prime, so that messages that follow each other come from connections far apart, and every connection has its turn. */
const STRIDE = 7919

/**
 * Publishes at a fixed rate and ends when everything is delivered and acked, so that costs that are read before and after belong to exactly
 * these messages. @throws Error if a delivery or an ack is missing after a while.
 */
export async function pace ({ rate, seconds }: PacePlan, connections: Connection[], sink: Sink): Promise<PaceResult> {
  const audience = audiences(connections)
  const publishers = connections.map((_, number) =>
    new Publisher(connections[number * STRIDE % connections.length]!, { number, slots: 1, acked: true }))
  let sent = 0
  let acked = 0
  let expected = 0
  sink.deliveries = 0
  sink.delivered = sink.settled = () => {}
  sink.acked = () => { acked++ }
  for (const connection of connections) connection.watched = false
  const stop = keepPace(rate, publishers, publisher => {
    const flushed = publisher.flush()
    sent += flushed
    expected += flushed * audience.get(publisher.connection.target.channel)!
  })
  await delay(seconds * 1000)
  stop()
  await until(() => sink.deliveries >= expected && acked >= sent, PATIENCE_MS)
  const missing = { deliveries: expected - sink.deliveries, acks: sent - acked }
  if (missing.deliveries > 0 || missing.acks > 0) throw new Error(`${missing.deliveries} deliveries and ${missing.acks} acks are missing`)
  return { sent, delivered: sink.deliveries }
}
