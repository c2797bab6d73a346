import type { Broker, BrokerHandlers, Topic } from '../../src/broker/broker.ts'

export interface BusFaults {
  /** Share of publications that other instances do not get. `seed` makes the choice repeatable. */
  drop?: number
  seed?: number
  /** The process dies at the n-th publication of messages: they are committed, but neither delivered nor acked. */
  dieAt?: number
  /** The process dies at the n-th publication of messages, after it has acked them and before other instances get them. */
  dieAckedAt?: number
}

/** A bus that loses events as ordered. Subscribers of its own instance get everything, as when the connection to Redis is lost. */
export function faultyBroker (real: Broker, { drop = 0, seed = 1, dieAt, dieAckedAt }: BusFaults): Broker {
  const topics = new Set<Topic>()
  const random = seeded(seed)
  let handlers: BrokerHandlers | undefined
  let publications = 0
  const die = (): boolean => process.kill(process.pid, 'SIGKILL')

  return {
    get connected () { return real.connected },
    get dropped () { return real.dropped },
    publish (topic, event, scope = 'everyone') {
      if (event.kind === 'entries' && ++publications === dieAt) die()
      const isLast = event.kind === 'entries' && publications === dieAckedAt
      if (!isLast && random() >= drop) return real.publish(topic, event, scope)
      if (scope === 'everyone' && topics.has(topic)) handlers?.onEvent(topic, event, true)
      // The acks are sent at the end of this event loop turn, so the process dies after it.
      if (isLast) setImmediate(() => setImmediate(die))
    },
    subscribe (topic) {
      topics.add(topic)
      real.subscribe(topic)
    },
    unsubscribe (topic) {
      topics.delete(topic)
      real.unsubscribe(topic)
    },
    start (given) {
      handlers = given
      return real.start(given)
    },
    close: () => real.close()
  }
}

/** A generator of pseudo-random numbers from 0 to 1: Mulberry32. */
function seeded (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
}
