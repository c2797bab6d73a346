import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { PubSub } from './pubsub.ts'

interface HeartDeps {
  subscriber: Redis
  /** The publishing connections. */
  publishers: Redis[]
  pubsub: PubSub
  /** A key that Redis never has. */
  key: string
  /** The channel on which only this instance listens for beats. */
  name: string
}

const ID_BYTES = 8
const MOST_MISSED = 2

/**
 * Publishes one beat after a write that changes nothing. A replica refuses the write; it would take the publication, which would not reach
 * the subscribers of its master. A master with a full disk also refuses writes (MISCONF), but it still publishes to everyone.
 */
const beatOf = ({ publish }: PubSub): string => `
local answer = redis.pcall('DEL', KEYS[1])
if type(answer) == 'table' and not string.find(answer.err, 'MISCONF', 1, true) then return answer end
return redis.call('${publish}', KEYS[2], ARGV[1])`

/**
 * Tests every connection in both directions, and the way from each publishing connection to this instance's own subscription. It counts
 * missed beats and does not measure time, so a stall of this process does not look like a lost connection.
 */
export function createHeart ({ subscriber, publishers, pubsub, key, name }: HeartDeps) {
  const script = beatOf(pubsub)
  /** Distinguishes these beats from those of an earlier session, which may still be under way. */
  const id = randomBytes(ID_BYTES)
  /** For each connection, the number of beats since the last one that Redis answered, and since the last one that came back. */
  const missed = publishers.map(() => ({ answers: 0, echoes: 0 }))
  /** Number of questions to the subscribing connection since the last one that Redis answered. */
  let questions = 0
  /** Counts of the connections of which no beat has come back yet. */
  const awaited = new Set(missed)
  let onComplete!: () => void
  const complete = new Promise<void>(resolve => { onComplete = resolve })

  async function send (redis: Redis, i: number): Promise<void> {
    missed[i]!.answers++
    missed[i]!.echoes++
    const listeners = await redis.eval(script, 2, key, name, Buffer.concat([id, Buffer.of(i)]))
    // The beat would still come back by replication, but this server counts none of the subscriptions of the other one.
    if (listeners === 0) throw new Error('the subscription is on another server than this connection')
    missed[i]!.answers = 0
  }

  /** Repeats a subscription, which changes nothing: PING would take another right, and a master with a full disk refuses it. */
  async function ask (): Promise<void> {
    questions++
    await subscriber[pubsub.subscribe](name)
    questions = 0
  }

  return {
    /** Sends a beat over every connection. Rejects if Redis refuses one or does not answer. */
    async beat (): Promise<void> { await Promise.all([ask(), ...publishers.map(send)]) },
    /** Takes a message that has arrived on the channel of the beats. */
    heard (message: Buffer): void {
      const counts = missed[message[ID_BYTES] ?? -1]
      if (!counts || !message.subarray(0, ID_BYTES).equals(id)) return
      counts.echoes = 0
      awaited.delete(counts)
      if (awaited.size === 0) onComplete()
    },
    /** Resolves when a beat of every connection has come back. */
    complete,
    /** Whether any connection has missed so many beats that it counts as lost. */
    failed: (): boolean => Math.max(questions, ...missed.flatMap(({ answers, echoes }) => [answers, echoes])) >= MOST_MISSED
  }
}
