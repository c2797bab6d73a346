import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { resolvesWithin } from '../deadline.ts'
import { createLink, openConnection, repeat, type Logger } from '../redis.ts'
import { choose } from '../redis-parts.ts'
import { findServer } from '../redis-servers.ts'
import type { RedisSettings } from '../redis-settings.ts'
import type { Broker, BrokerHandlers, Topic } from './broker.ts'
import { decodeEvent, encodeEvent, INSTANCE_BYTES, isEcho } from './encoding.ts'
import { createHeart } from './heart.ts'
import { PLAIN, SHARDED } from './pubsub.ts'
import { createSender, publishAll, type Outstanding, type Sender } from './sender.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'

export interface RedisBrokerDeps extends RedisSettings {
  /** Number of connections that publish. A topic always uses the same connection, which keeps its events in order. */
  pool_size: number
  /** Most seconds that any command may take. */
  pool_timeout: number
  /** Prefix of every Redis channel name. */
  prefix: string
  logger: Logger
  /** Milliseconds between two beats of each connection, which test whether it delivers. After two missed beats, the bus reconnects. */
  beat?: number
}

interface OpenBus {
  senders: Sender[]
  /** True if no other instance listens. Nothing is published then. */
  alone: boolean
}

/** Milliseconds that closing waits for Redis to take the last messages. */
const CLOSE_TIMEOUT_MS = 500
const COMPLAINT_INTERVAL_MS = 1000

/**
 * The bus over Redis publish/subscribe. A connection may look alive and deliver nothing (a stopped server, a half-open TCP connection, a
 * former master that is a replica now), so each instance publishes beats to itself over each of its connections: `connected` is true only
 * while they all come back. If one does not, or a message is dropped, all connections are replaced, and all topics are reported to
 * `onSubscribed` again, so that the database is asked for what was missed.
 */
export function createRedisBroker ({
  pool_size: poolSize, pool_timeout: poolTimeout, prefix, logger, beat = 1000, ...settings
}: RedisBrokerDeps): Broker {
  const instance = randomBytes(INSTANCE_BYTES)
  const pubsub = settings.part ? SHARDED : PLAIN
  const helloName = `${prefix}hello`
  const beatName = `${prefix}beat:${instance.toString('hex')}`
  const wanted = new Set<Topic>()
  const outstanding: Outstanding = { count: 0, bytes: 0, dropped: 0 }
  const complain = createComplaints(logger)
  let handlers: BrokerHandlers | undefined
  let subscriptions: Subscriptions | undefined

  const link = createLink<OpenBus>({
    name: 'message bus',
    settings,
    logger,
    open,
    onUp () {
      const topics = subscriptions!.confirmed()
      if (topics.length > 0) handlers?.onSubscribed(topics)
      handlers?.onConnected(true)
    },
    onDown () { handlers?.onConnected(false) }
  })

  async function open (signal: AbortSignal, lost: (error: Error) => void): Promise<OpenBus> {
    const server = await findServer(settings, signal)
    const connect = () => openConnection(server, signal, poolTimeout * 1000, lost)
    const [subscriber, ...publishers] = await Promise.all([connect(), ...Array.from({ length: poolSize }, connect)])
    const session: OpenBus = {
      senders: publishers.map(redis => createSender({ redis, pubsub, outstanding, onDropped: lost })),
      alone: false
    }
    const census = createCensus(session)
    const heart = createHeart({ subscriber, publishers, pubsub, key: `${prefix}probe`, name: beatName })

    subscriber.on(pubsub.message, (channel: Buffer, message: Buffer) => {
      const name = channel.toString()
      if (name === beatName) heart.heard(message)
      else if (name === helloName) census.hello(message)
      else receive(name, message)
    })
    // A node of a cluster that gives a slot away ends the subscriptions there.
    subscriber.on('moved', () => lost(new Error('MOVED')))
    subscriptions = createSubscriptions({
      client: subscriber,
      pubsub,
      nameOf: topic => prefix + topic,
      wanted,
      // Report nothing while the session opens: `onUp` reports all topics at once.
      onConfirmed (topics) { if (link.session === session && topics.length > 0) handlers?.onSubscribed(topics) },
      onFailed: lost
    })

    await subscriber[pubsub.subscribe](helloName, beatName)
    await subscriptions.syncAll()
    const redis = publishers[0]!
    // Say hello with the script that publishes most messages, so that opening fails where scripts are not allowed.
    await redis.eval(publishAll(pubsub), 1, helloName, instance)

    const pulse = async (): Promise<void> => { await Promise.all([heart.beat(), census.take(redis)]) }
    await Promise.all([pulse(), heart.complete])
    repeat(() => {
      if (heart.failed()) lost(new Error('messages that this instance sends to itself do not come back'))
      else pulse().catch(lost)
    }, beat, signal)
    return session
  }

  /** Finds out whether there are other instances. A new instance says hello before it relies on its subscriptions. */
  function createCensus (session: OpenBus) {
    let arrivals = 0
    return {
      hello (from: Buffer) {
        if (from.equals(instance)) return
        arrivals++
        session.alone = false
      },
      /** Counts the listeners. The result is ignored if another instance says hello in the meantime. */
      async take (redis: Redis): Promise<void> {
        const before = arrivals
        const [, listeners] = await redis.call('PUBSUB', pubsub.listeners, helloName) as [string, number]
        if (arrivals === before) session.alone = Number(listeners) <= 1
      }
    }
  }

  function receive (name: string, message: Buffer): void {
    const topic = name.slice(prefix.length) as Topic
    if (!handlers || !wanted.has(topic) || isEcho(message, instance)) return
    const event = decodeEvent(message)
    if (!event) return complain({ topic, bytes: message.length }, 'message bus: a message that is not understood was dropped')
    try {
      handlers.onEvent(topic, event, false)
    } catch (err) {
      // Do not throw again: an error here would stop the connection's parser and with it all delivery.
      complain({ err, topic }, 'message bus: a handler threw')
    }
  }

  return {
    get connected () { return link.session !== undefined },
    get dropped () { return outstanding.dropped },
    publish (topic, event, scope = 'everyone') {
      if (scope === 'everyone' && wanted.has(topic)) handlers?.onEvent(topic, event, true)
      const session = link.session
      if (!session) outstanding.dropped++
      else if (!session.alone) choose(session.senders, topic).publish(prefix + topic, encodeEvent(event, instance))
    },
    subscribe (topic) {
      if (wanted.has(topic)) return
      wanted.add(topic)
      subscriptions?.changed(topic)
    },
    unsubscribe (topic) {
      if (wanted.delete(topic)) subscriptions?.changed(topic)
    },
    async start (given) {
      handlers = given
      await link.start()
    },
    async close () {
      handlers = undefined
      const flushed = Promise.all(link.session?.senders.map(sender => sender.flushed()) ?? [])
      await resolvesWithin(flushed, CLOSE_TIMEOUT_MS)
      await link.close()
    }
  }
}

/**
 * Logs the same warning at most once a second, so that nobody who can write to the bus can fill the log. `unsaid` in a warning is the
 * number of equal warnings that were left out before it.
 */
function createComplaints (logger: Logger) {
  const lastSaid = new Map<string, { at: number, unsaid: number }>()
  return (details: object, text: string): void => {
    const last = lastSaid.get(text)
    const at = performance.now()
    if (last && at - last.at < COMPLAINT_INTERVAL_MS) {
      last.unsaid++
      return
    }
    lastSaid.set(text, { at, unsaid: 0 })
    logger.warn({ ...details, ...last && last.unsaid > 0 && { unsaid: last.unsaid } }, text)
  }
}
