import type { Broker, BrokerHandlers, Topic } from './broker.ts'

/** The bus of a single instance. There are no other instances, so it never disconnects and loses nothing. */
export function createMemoryBroker (): Broker {
  const topics = new Set<Topic>()
  const unreported = new Set<Topic>()
  let handlers: BrokerHandlers | undefined

  /** Runs after `subscribe` has returned, as with Redis, so that callers do not depend on an order that only this driver has. */
  function report (): void {
    const reported = [...unreported].filter(topic => topics.has(topic))
    unreported.clear()
    if (reported.length > 0) handlers?.onSubscribed(reported)
  }

  return {
    connected: true,
    dropped: 0,
    publish (topic, event, scope = 'everyone') {
      if (scope === 'everyone' && topics.has(topic)) handlers?.onEvent(topic, event, true)
    },
    subscribe (topic) {
      if (topics.has(topic)) return
      topics.add(topic)
      unreported.add(topic)
      if (unreported.size === 1) setImmediate(report)
    },
    unsubscribe (topic) { topics.delete(topic) },
    async start (given) {
      handlers = given
      for (const topic of topics) unreported.add(topic)
      setImmediate(report)
    },
    async close () { handlers = undefined }
  }
}
