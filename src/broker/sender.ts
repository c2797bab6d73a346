import type { Redis } from 'ioredis'

/** Publishes over one of the connections to Redis. */
export interface Sender {
  /** Queues a message and sends it at the end of this turn of the event loop. A message that cannot be sent is dropped. */
  publish (name: string, message: Buffer): void
  /** Resolves when Redis has answered for every published message, or the message was dropped. */
  flushed (): Promise<void>
  /** Returns the connection. Opens it if there is none. */
  connection (): Promise<Redis>
}

/** The messages of all senders together for which Redis has not answered yet. Their number and bytes are bounded. */
export interface Outstanding {
  count: number
  bytes: number
  /** Number of dropped messages: the queue was full, the connection was missing, or Redis refused them. */
  dropped: number
}

export interface SenderDeps {
  open (onLost: () => void): Promise<Redis>
  outstanding: Outstanding
}

const MAX_OUTSTANDING = 20_000
const MAX_OUTSTANDING_BYTES = 32 * 1024 * 1024
const MAX_PER_COMMAND = 256
const MAX_BYTES_PER_COMMAND = 1024 * 1024
const REOPEN_AFTER_MS = 500

/** Publishes many messages with one command: each takes 7 µs of this process's CPU time, against 15 µs in a pipeline of PUBLISHes. */
export const PUBLISH_ALL = "for i = 1, #KEYS do redis.call('PUBLISH', KEYS[i], ARGV[i]) end"

/** Publishes over one connection in the given order. It opens the connection when it is first needed, and again after a loss. */
export function createSender ({ open, outstanding }: SenderDeps): Sender {
  let names: string[] = []
  let messages: Buffer[] = []
  let client: Promise<Redis> | undefined
  let closedAt = -Infinity
  const underWay = new Set<Promise<void>>()

  function connection (): Promise<Redis> {
    client ??= open(() => {
      client = undefined
      closedAt = performance.now()
    })
    return client
  }

  async function flush (): Promise<void> {
    if (messages.length === 0) return
    let redis: Redis
    try {
      if (!client && performance.now() - closedAt < REOPEN_AFTER_MS) throw new Error('connection lost a moment ago')
      redis = await connection()
    } catch {
      // The link logs why the bus is lost. Here only messages are lost, and the reconciler finds them in the database [P33].
      forget(take().messages, true)
      return
    }
    // Take the queue only now, so that messages queued while the connection opened are sent too.
    const queued = take()
    for (let from = 0; from < queued.messages.length;) {
      const to = endOfCommand(queued.messages, from)
      const batch = queued.messages.slice(from, to)
      const sent: Promise<void> = send(redis, queued.names.slice(from, to), batch)
        .then(() => forget(batch, false), () => forget(batch, true))
        .finally(() => underWay.delete(sent))
      underWay.add(sent)
      from = to
    }
  }

  function take (): { names: string[], messages: Buffer[] } {
    const taken = { names, messages }
    names = []
    messages = []
    return taken
  }

  function forget (batch: Buffer[], dropped: boolean): void {
    outstanding.count -= batch.length
    for (const message of batch) outstanding.bytes -= message.length
    if (dropped) outstanding.dropped += batch.length
  }

  return {
    connection,
    async flushed () {
      await flush()
      await Promise.all(underWay)
    },
    publish (name, message) {
      if (outstanding.count >= MAX_OUTSTANDING || outstanding.bytes + message.length > MAX_OUTSTANDING_BYTES) {
        outstanding.dropped++
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

function send (redis: Redis, names: string[], messages: Buffer[]): Promise<unknown> {
  return names.length === 1 ? redis.publish(names[0]!, messages[0]!) : redis.eval(PUBLISH_ALL, names.length, ...names, ...messages)
}
