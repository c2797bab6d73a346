import type { Broker, BrokerHandlers, Topic } from '../../src/broker/broker.ts'

export interface BusFaults {
  /** Share of what is published that the other instances do not get; by `seed`, so that a run can be repeated. */
  drop?: number
  seed?: number
  /** The process dies at the n-th publication of messages: they are committed, and nobody has them; nor have their senders an ack. */
  dieAt?: number
  /** It dies there once the senders have their acks. */
  dieAckedAt?: number
}

/** A bus that loses what it is ordered to lose. This instance's own subscribers get everything, as with a lost connection. */
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
      // Acks leave at the end of this turn of the event loop.
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

/** Numbers from 0 to 1: Mulberry32. */
function seeded (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
}
