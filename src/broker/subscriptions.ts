import type { Redis } from 'ioredis'
import type { Topic } from './broker.ts'

export interface Subscriptions {
  /** `topic` was added to `wanted` or taken out. */
  changed (topic: Topic): void
  /** Subscribes to all that is wanted; resolves when Redis has confirmed it. */
  syncAll (): Promise<void>
  /** What Redis has confirmed and is still wanted. */
  confirmed (): Topic[]
}

export interface SubscriptionsDeps {
  client: Redis
  nameOf (topic: Topic): string
  wanted: ReadonlySet<Topic>
  onConfirmed (topics: Topic[]): void
  onFailed (error: Error): void
}

const TOPICS_PER_COMMAND = 1000

/** Brings one connection's subscriptions in line with `wanted`, all changes of a tick in one command. */
export function createSubscriptions ({ client, nameOf, wanted, onConfirmed, onFailed }: SubscriptionsDeps): Subscriptions {
  /** Topics that SUBSCRIBE was sent for. The object tells this request from an earlier one for the same topic. */
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
      // Given up and wanted again within the tick: whoever wants it now waits for the confirmation too.
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
    await client.subscribe(...topics.map(nameOf))
    for (const { request } of requests) request.confirmed = true
    onConfirmed(requests.filter(({ topic, request }) => requested.get(topic) === request && wanted.has(topic)).map(({ topic }) => topic))
  }

  async function drop (topics: Topic[]): Promise<void> {
    for (const topic of topics) requested.delete(topic)
    await client.unsubscribe(...topics.map(nameOf))
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
