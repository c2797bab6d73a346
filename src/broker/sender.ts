import type { Redis } from 'ioredis'
import type { PubSub } from './pubsub.ts'

/** Publishes over one of the connections to Redis. */
export interface Sender {
  /** Queues a message and sends it at the end of this turn of the event loop. */
  publish (name: string, message: Buffer): void
  /** Resolves when Redis has answered for every published message, or the message was dropped. */
  flushed (): Promise<void>
}

/** The messages of all senders together for which Redis has not answered yet. Their number and bytes are bounded. */
export interface Outstanding {
  count: number
  bytes: number
  /** Number of dropped messages: the queue was full, the connection was lost or missing, or Redis refused them. */
  dropped: number
}

interface SenderDeps {
  redis: Redis
  pubsub: PubSub
  outstanding: Outstanding
  /** Called whenever messages are dropped. */
  onDropped (error: Error): void
}

const MAX_OUTSTANDING = 20_000
const MAX_OUTSTANDING_BYTES = 32 * 1024 * 1024
const MAX_PER_COMMAND = 256
const MAX_BYTES_PER_COMMAND = 1024 * 1024

/**
 * A script that publishes many messages with one command: each takes 7 µs of this process's CPU time, against 15 µs in a pipeline of
 * PUBLISHes.
 */
export const publishAll = ({ publish }: PubSub): string => `for i = 1, #KEYS do redis.call('${publish}', KEYS[i], ARGV[i]) end`

/** Publishes over one connection in the given order. */
export function createSender ({ redis, pubsub, outstanding, onDropped }: SenderDeps): Sender {
  const script = publishAll(pubsub)
  let names: string[] = []
  let messages: Buffer[] = []
  const underWay = new Set<Promise<void>>()

  function flush (): void {
    const queued = { names, messages }
    names = []
    messages = []
    for (let from = 0; from < queued.messages.length;) {
      const to = endOfCommand(queued.messages, from)
      const sent: Promise<void> = send(queued.names.slice(from, to), queued.messages.slice(from, to)).finally(() => underWay.delete(sent))
      underWay.add(sent)
      from = to
    }
  }

  async function send (names: string[], messages: Buffer[]): Promise<void> {
    try {
      await (names.length === 1 ? redis[pubsub.publish](names[0]!, messages[0]!) : redis.eval(script, names.length, ...names, ...messages))
    } catch (error) {
      outstanding.dropped += messages.length
      onDropped(error as Error)
    }
    outstanding.count -= messages.length
    for (const message of messages) outstanding.bytes -= message.length
  }

  return {
    async flushed () {
      flush()
      await Promise.all(underWay)
    },
    publish (name, message) {
      if (outstanding.count >= MAX_OUTSTANDING || outstanding.bytes + message.length > MAX_OUTSTANDING_BYTES) {
        outstanding.dropped++
        onDropped(new Error('too many messages wait for Redis'))
        return
      }
      outstanding.count++
      outstanding.bytes += message.length
      names.push(name)
      messages.push(message)
      if (messages.length === 1) setImmediate(flush)
    }
  }
}

function endOfCommand (messages: Buffer[], from: number): number {
  let to = from
  let bytes = 0
  do bytes += messages[to++]!.length
  while (to < messages.length && to - from < MAX_PER_COMMAND && bytes + messages[to]!.length <= MAX_BYTES_PER_COMMAND)
  return to
}
