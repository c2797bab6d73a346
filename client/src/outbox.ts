import { sizeOf, textOf } from './calls.ts'
import { createTimer, type Clock } from './clock.ts'
import { ParleyError } from './errors.ts'
import type { Link } from './link.ts'
import type { Json, Message, Receipt } from './wire.ts'

/** Milliseconds until a message is sent again that the server could not take and of which it said no time. */
const RETRY = 1000
/** Characters of a `client_id`: enough that no two are the same. */
const ID_LENGTH = 22

/** A message that is not in the history yet. `sent`: its reply is awaited. `failed`: refused for good, and kept for `resend`. */
export interface Outgoing {
  readonly clientId: string
  readonly text: string
  readonly data?: Json
  readonly replyTo?: string
  readonly state: 'queued' | 'sent' | 'failed'
  readonly error?: ParleyError
}

/** `signal` takes the message back, as long as it has not been sent. */
export interface SendOptions { data?: Json, replyTo?: string, clientId?: string, signal?: AbortSignal }

interface Item {
  shown: Outgoing
  frame: string
  size: number
  /** It was written to a connection, so the server may have it. */
  wasSent: boolean
  /** The server has stored it, and its own frame has not come yet. */
  receipt?: Receipt
  promise: Promise<Receipt>
  resolve (receipt: Receipt): void
  reject (error: ParleyError): void
}

/** Room for outgoing messages, in all channels together [C4]. */
export interface Room { messages: number, bytes: number }

export type Outbox = ReturnType<typeof createOutbox>

/**
 * Sends a channel's messages, one at a time, so that they are stored in the order in which they were made, retries included [C3]. `isOpen`:
 * the channel takes messages now. A message leaves when its own frame has come, so that it is never in neither of both lists.
 */
export function createOutbox ({ link: { calls, clock, room }, channelName, isOpen, headSeq, onChange }: {
  link: Link, channelName: string, isOpen (): boolean, headSeq (): number, onChange (): void
}) {
  let items: Item[] = []
  let shown: readonly Outgoing[] | undefined
  let inFlight: Item | undefined
  const retry = createTimer(clock, flush)

  function update (item: Item, change: Pick<Outgoing, 'state'> & { error?: ParleyError }): void {
    const { error, ...rest } = item.shown
    item.shown = { ...rest, ...change }
    shown = undefined
    onChange()
  }

  function remove (item: Item): void {
    if (!items.includes(item)) return
    items = items.filter(other => other !== item)
    room.messages++
    room.bytes += item.size
    shown = undefined
    onChange()
  }

  function flush (): void {
    const item = items.find(({ shown }) => shown.state === 'queued')
    if (!item || inFlight || retry.isRunning || !isOpen()) return
    inFlight = item
    item.wasSent = true
    update(item, { state: 'sent' })
    calls.start(item.frame, (error, reply) => {
      inFlight = undefined
      if (!error) acknowledge(item, reply as Receipt)
      else if (error.code === 'offline') requeue(item)
      else if (error.again && error.code !== 'muted') {
        retry.start(error.retryAfterMs ?? RETRY)
        requeue(item)
      } else fail(item, error)
      flush()
    })
  }

  function requeue (item: Item): void {
    if (items.includes(item) && !item.receipt) update(item, { state: 'queued' })
  }

  function fail (item: Item, error: ParleyError): void {
    if (!items.includes(item) || item.receipt) return
    update(item, { state: 'failed', error })
    item.reject(error)
  }

  function acknowledge (item: Item, receipt: Receipt): void {
    item.receipt = receipt
    item.resolve(receipt)
    // A message may have failed meanwhile, because the channel was closed before its reply came.
    if (receipt.seq <= headSeq() || item.shown.state === 'failed') remove(item)
  }

  function promised (item: Item): Promise<Receipt> {
    item.promise = quiet(new Promise((resolve, reject) => Object.assign(item, { resolve, reject })))
    return item.promise
  }

  function takeBack (item: Item): void {
    if (inFlight === item || !items.includes(item)) return
    remove(item)
    item.reject(new ParleyError('aborted'))
  }

  return {
    flush,
    list: (): readonly Outgoing[] => (shown ??= items.map(({ shown }) => shown)),
    /** Whether messages wait to be stored. */
    get isWaiting () { return items.some(({ shown }) => shown.state !== 'failed') },

    send (text: string, { data, replyTo, clientId = newId(clock), signal }: SendOptions = {}): Promise<Receipt> {
      if (signal?.aborted) return rejected(new ParleyError('aborted'))
      const frame = textOf('send_message', { channel: channelName, message: text, client_id: clientId, reply_to: replyTo, data })
      const size = sizeOf(frame)
      if (room.messages < 1 || room.bytes < size) return rejected(new ParleyError('outbox_full'))
      room.messages--
      room.bytes -= size
      const own = { clientId, text, ...data !== undefined && { data }, ...replyTo !== undefined && { replyTo } }
      const item = { shown: { ...own, state: 'queued' }, frame, size, wasSent: false } as Item
      const result = promised(item)
      items.push(item)
      shown = undefined
      const abort = (): void => { if (!item.wasSent) takeBack(item) }
      signal?.addEventListener('abort', abort)
      result.finally(() => signal?.removeEventListener('abort', abort)).catch(() => {})
      onChange()
      flush()
      return result
    },

    resend (clientId: string): Promise<Receipt> {
      const item = items.find(({ shown }) => shown.clientId === clientId)
      if (!item) return rejected(new ParleyError('message_not_found'))
      if (item.shown.state !== 'failed') return item.promise
      items = [...items.filter(other => other !== item), item]
      const result = promised(item)
      update(item, { state: 'queued' })
      flush()
      return result
    },

    discard (clientId: string): void {
      const item = items.find(({ shown }) => shown.clientId === clientId)
      if (item) takeBack(item)
    },

    /** A message of this user has come: if it was sent from here, it is stored. */
    arrived ({ channel, id, seq, timestamp, client_id: clientId }: Message): void {
      const item = items.find(({ shown }) => shown.clientId === clientId)
      if (!item) return
      remove(item)
      item.resolve(item.receipt ?? { channel, id, seq, timestamp, client_id: clientId! })
    },

    /** The channel was joined: what was stored before is shown by now, or gone because the database was restored to an earlier moment. */
    caughtUp (): void {
      for (const item of items) if (item.receipt) remove(item)
    },

    /** Nothing can be sent to this channel: what waits has failed. */
    refuse (error: ParleyError): void {
      retry.stop()
      for (const item of items) if (item.shown.state !== 'failed') fail(item, error)
    },

    /** A new user must not send what the earlier one may have sent: the server would take it for another message. */
    disown (): void {
      for (const item of items) if (item.wasSent && item.shown.state !== 'failed') fail(item, new ParleyError('offline'))
    },

    /** Another user has logged in: nothing of the earlier one is left. */
    clear (error: ParleyError): void {
      retry.stop()
      for (const item of items) {
        remove(item)
        item.reject(error)
      }
    },

    stop: retry.stop
  }
}

/** Nobody has to handle the failure of a message, because the outbox shows it [C10]. */
function quiet<T> (promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

function rejected (error: ParleyError): Promise<never> {
  return quiet(Promise.reject(error))
}

function newId (clock: Clock): string {
  return Array.from({ length: ID_LENGTH }, () => Math.floor(clock.random() * 36).toString(36)).join('')
}
