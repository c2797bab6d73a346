import type { Redis } from 'ioredis'
import type { Topic } from './broker.ts'
import type { PubSub } from './pubsub.ts'

export interface Subscriptions {
  /** Must be called after `topic` was added to or removed from `wanted`. */
  changed (topic: Topic): void
  /** Subscribes to all wanted topics. Resolves when Redis has confirmed them. */
  syncAll (): Promise<void>
  /** The wanted topics whose subscription Redis has confirmed. */
  confirmed (): Topic[]
}

export interface SubscriptionsDeps {
  client: Redis
  pubsub: PubSub
  nameOf (topic: Topic): string
  wanted: ReadonlySet<Topic>
  onConfirmed (topics: Topic[]): void
  onFailed (error: Error): void
}

const TOPICS_PER_COMMAND = 1000

/** Keeps the subscriptions of one Redis connection in line with `wanted`. All changes in one turn of the event loop are sent together. */
export function createSubscriptions ({ client, pubsub, nameOf, wanted, onConfirmed, onFailed }: SubscriptionsDeps): Subscriptions {
  /** Topics for which SUBSCRIBE was sent. The object distinguishes a request from an earlier one for the same topic. */
  const requested = new Map<Topic, { confirmed: boolean }>()
  const dirty = new Set<Topic>()

  async function flush (): Promise<void> {
    const added: Topic[] = []
    const removed: Topic[] = []
    const kept: Topic[] = []
    for (const topic of dirty) {
      const request = requested.get(topic)
      if (!wanted.has(topic)) {
        if (request) removed.push(topic)
      } else if (!request) added.push(topic)
      // The topic was removed and added again in the same turn. The new subscriber waits for a confirmation too.
      else if (request.confirmed) kept.push(topic)
    }
    dirty.clear()
    if (kept.length > 0) onConfirmed(kept)
    await Promise.all([...chunks(removed).map(drop), ...chunks(added).map(request)])
  }

  async function request (topics: Topic[]): Promise<void> {
    const requests = topics.map(topic => {
      const request = { confirmed: false }
      requested.set(topic, request)
      return { topic, request }
    })
    await client[pubsub.subscribe](...topics.map(nameOf))
    for (const { request } of requests) request.confirmed = true
    onConfirmed(requests.filter(({ topic, request }) => requested.get(topic) === request && wanted.has(topic)).map(({ topic }) => topic))
  }

  async function drop (topics: Topic[]): Promise<void> {
    for (const topic of topics) requested.delete(topic)
    await client[pubsub.unsubscribe](...topics.map(nameOf))
  }

  return {
    changed (topic) {
      dirty.add(topic)
      if (dirty.size === 1) setImmediate(() => { flush().catch(onFailed) })
    },
    async syncAll () {
      for (const topic of wanted) dirty.add(topic)
      await flush()
    },
    confirmed: () => [...requested].filter(([topic, { confirmed }]) => confirmed && wanted.has(topic)).map(([topic]) => topic)
  }
}

function chunks<T> (items: T[]): T[][] {
  const result: T[][] = []
  for (let at = 0; at < items.length; at += TOPICS_PER_COMMAND) result.push(items.slice(at, at + TOPICS_PER_COMMAND))
  return result
}
