import { sizeOf, textOf } from './calls.ts'
import { createTimer, newId } from './clock.ts'
import { ParleyError } from './errors.ts'
import type { Link } from './link.ts'
import type { KeptMessage } from './outbox-storage.ts'
import type { Json, Message, Receipt } from './wire.ts'

/** Milliseconds until a message is sent again that the server could not take and of which it said no time. */
const RETRY = 1000

/** A message that is not in the history yet. `sent`: its reply is awaited. `failed`: refused for good, and kept for `resend`. */
export interface Outgoing {
  readonly clientId: string
  readonly text: string
  readonly data?: Json
  readonly replyTo?: string
  readonly state: 'queued' | 'sent' | 'failed'
  readonly error?: ParleyError
}

/** A message that is not stored yet, in the list of all channels. */
export interface Waiting extends Outgoing { readonly channel: string }

/** `signal` takes the message back, as long as it has not been sent. */
export interface SendOptions { data?: Json, replyTo?: string, clientId?: string, signal?: AbortSignal }

interface Item {
  shown: Outgoing
  frame: string
  size: number
  order: number
  /** It is in the storage, which brings it back after a reload. */
  isKept: boolean
  /** The client has disconnected since: another one may have taken it from the storage. */
  isReleased: boolean
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
export function createOutbox ({ link: { calls, clock, room, kept }, channelName, isOpen, headSeq, onChange }: {
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

  function remove (item: Item, isElsewhere = false): void {
    if (!items.includes(item)) return
    items = items.filter(other => other !== item)
    room.messages++
    room.bytes += item.size
    if (!isElsewhere) kept.remove(toKept(item))
    shown = undefined
    onChange()
  }

  function flush (): void {
    const item = items.find(({ shown }) => shown.state === 'queued')
    if (!item || inFlight || retry.isRunning || kept.isReading || !isOpen()) return
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
    keep(item)
    item.reject(error)
  }

  function acknowledge (item: Item, receipt: Receipt): void {
    item.receipt = receipt
    item.resolve(receipt)
    // A message may have failed meanwhile, because the channel was closed before its reply came.
    if (receipt.seq <= headSeq() || item.shown.state === 'failed') remove(item)
  }

  function toKept ({ shown: { state, error, ...message }, order }: Item): KeptMessage {
    return { ...message, channel: channelName, order, ...error && { failure: { code: error.code, message: error.message } } }
  }

  function keep (item: Item): void {
    kept.put(toKept(item)).then(isKept => { item.isKept = isKept })
  }

  /** Makes room for a message. */
  function make (shown: Outgoing, order: number, wasSent: boolean): Item {
    const { clientId, text, data, replyTo } = shown
    const frame = textOf('send_message', { channel: channelName, message: text, client_id: clientId, reply_to: replyTo, data })
    return { shown, frame, size: sizeOf(frame), order, isKept: wasSent, isReleased: false, wasSent } as Item
  }

  function add (item: Item): Promise<Receipt> {
    room.messages--
    room.bytes -= item.size
    shown = undefined
    return promised(item)
  }

  function promised (item: Item): Promise<Receipt> {
    item.promise = quiet(new Promise((resolve, reject) => Object.assign(item, { resolve, reject })))
    return item.promise
  }

  function takeBack (item: Item, isElsewhere = false): void {
    if (inFlight === item || !items.includes(item)) return
    remove(item, isElsewhere)
    item.reject(new ParleyError('aborted'))
  }

  return {
    flush,
    list: (): readonly Outgoing[] => (shown ??= items.map(({ shown }) => shown)),
    /** Whether messages wait to be stored. */
    get isWaiting () { return items.some(({ shown }) => shown.state !== 'failed') },

    send (text: string, { data, replyTo, clientId = newId(clock), signal }: SendOptions = {}): Promise<Receipt> {
      if (signal?.aborted) return rejected(new ParleyError('aborted'))
      const own = { clientId, text, ...data !== undefined && { data }, ...replyTo !== undefined && { replyTo } }
      const item = make({ ...own, state: 'queued' }, kept.nextOrder(), false)
      if (room.messages < 1 || room.bytes < item.size) return rejected(new ParleyError('outbox_full'))
      const result = add(item)
      items.push(item)
      keep(item)
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
      item.order = kept.nextOrder()
      update(item, { state: 'queued' })
      keep(item)
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

    /**
     * The storage has brought messages of an earlier visit or of another tab. `areAll`: these are all that are in the hand of this client,
     * so that another one sends those that are not among them although they were kept before this client disconnected.
     */
    restore (messages: readonly KeptMessage[], areAll: boolean): void {
      const given = new Set(messages.map(({ clientId }) => clientId))
      for (const item of areAll ? items : []) {
        if (!given.has(item.shown.clientId) && item.isReleased) takeBack(item, true)
        else if (!item.isKept) keep(item)
        item.isReleased = false
      }
      const known = new Set(items.map(({ shown }) => shown.clientId))
      const restored = messages.filter(({ clientId }) => !known.has(clientId)).map(({ channel, order, failure, ...message }) => make({
        ...message, ...failure ? { state: 'failed', error: new ParleyError(failure.code, failure.message) } : { state: 'queued' }
      }, order, true))
      if (restored.length === 0) return
      items = [...restored, ...items].sort((a, b) => a.order - b.order)
      for (const item of restored) {
        add(item)
        if (item.shown.error) item.reject(item.shown.error)
      }
      onChange()
      flush()
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

    /** The client has disconnected, and with it from its storage. */
    stop (): void {
      retry.stop()
      for (const item of items) item.isReleased = item.isKept
    }
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
