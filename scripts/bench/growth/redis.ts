import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Bench, Figures } from '../case.ts'
import { openReader } from './counters.ts'

const TOPIC = 'growth'
/** Bytes of a message: about those of a short chat line with its fields. */
const SIZE = 300
const MESSAGES_PER_SECOND = 400
const MILLISECONDS_PER_TICK = 5

/** Publishes to Redis itself, with as many subscribers as there would be instances that follow a channel. */
export async function measureRedis ({ redisUrl, databases, timing, pause }: Bench, subscribers: number): Promise<Figures> {
  const reader = await openReader(redisUrl, databases.postgresPid)
  const publisher = new Redis(redisUrl)
  const listeners = Array.from({ length: subscribers }, () => new Redis(redisUrl))
  const message = randomBytes(SIZE)
  let received = 0
  try {
    for (const listener of listeners) listener.on('messageBuffer', () => { received++ })
    await Promise.all(listeners.map(listener => listener.subscribe(TOPIC)))
    await publisher.ping()
    const before = await reader.read({ ports: [], pids: [] })
    let sent = 0
    const answers: Array<Promise<number>> = []
    while (sent < timing.measure * MESSAGES_PER_SECOND) {
      for (let i = 0; i < MESSAGES_PER_SECOND * MILLISECONDS_PER_TICK / 1000; i++, sent++) answers.push(publisher.publish(TOPIC, message))
      await pause(MILLISECONDS_PER_TICK / 1000)
    }
    await Promise.all(answers)
    const after = await reader.read({ ports: [], pids: [] })
    // A reply to each subscriber has passed all messages before it.
    await Promise.all(listeners.map(listener => listener.ping()))
    if (received !== sent * subscribers) throw new Error(`${sent * subscribers - received} messages of Redis are missing`)
    return { subscribers, redis_us_per_message: (after.redis - before.redis) * 1_000_000 / sent }
  } finally {
    for (const redis of [publisher, ...listeners]) redis.disconnect()
    reader.close()
  }
}
