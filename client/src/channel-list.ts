import { jitter } from './backoff.ts'
import { textOf, type Calls } from './calls.ts'
import { createTimer, type Clock } from './clock.ts'
import type { Reply } from './wire.ts'

/** Milliseconds between two requests for the list, at least, and over which clients spread them that hear of the same message. */
const INTERVAL = 2000
const SPREAD = 1000
/** Channels of a page, and most channels that are kept. */
const PAGE = 100
const MAX_CHANNELS = 1000

type Listed = Reply<'channel_list'>['channels'][number]
type Numbers = 'last_seq' | 'read_seq' | 'unread_count' | 'last_message_at'

/** A channel that the user is a member of. `unread_count`: messages of others after `read_seq`; 100 means 100 or more. */
export type InboxChannel = Readonly<Omit<Listed, 'joined' | 'online_count' | Numbers> & Required<Pick<Listed, Numbers>>>

export interface ChannelListDeps {
  clock: Clock
  calls: Calls
  isOnline (): boolean
  /** The whole list is wanted. */
  isWanted (): boolean
  /** The channel is open in this client. */
  isOpen (channelName: string): boolean
  /** Puts what this client knows of the channel into its row. `isKnown`: the number of unread messages is right. */
  refine (row: InboxChannel): { row: InboxChannel, isKnown: boolean }
  /** Rows have changed, those of the channels `names` among them. */
  onChange (names: string[]): void
}

/**
 * Keeps the list of the user's channels. The server tells in which channels there are new messages, but not how many of them are unread
 * [P44]. So the beginning of the list, where these channels are, is read again: in one request for all of them, and not too often. Channels
 * that are open know their own numbers.
 */
export function createChannelList ({ clock, calls, isOnline, isWanted, isOpen, refine, onChange }: ChannelListDeps) {
  const pause = createTimer(clock, load)
  let rows = new Map<string, InboxChannel>()
  let isOutdated = true
  let isWhole = false
  let isReading = false
  /** Channels whose rows have to be read, and the `seq` and the read position that a row has to have to be new enough. */
  let stale = new Map<string, { seq: number, readTo: number }>()
  let failures = 0
  /** Changes when answers to earlier requests must not have an effect. */
  let era = 0

  /** Reads what is outdated. */
  function load (): void {
    if (!isOnline() || isReading || pause.isRunning) return
    // A channel without a row, which was joined just now, may be anywhere in the list.
    const isIncomplete = isOutdated || [...stale.keys()].some(name => !rows.has(name))
    if (isIncomplete && isWanted()) read(PAGE, true)
    else if (stale.size > 0) read(isWanted() ? Math.min(stale.size, PAGE) : PAGE, false)
  }

  /** Reads the channels with the newest messages, as many as `limit` says, or all of them. */
  function read (limit: number, isAll: boolean): void {
    const own = era
    const expected = stale
    const found: InboxChannel[] = []
    stale = new Map()
    isReading = true
    if (isAll) isOutdated = false

    function readPage (cursor?: string): void {
      calls.start(textOf('channel_list', { joined: true, limit, cursor }), (error, reply) => {
        if (own !== era) return
        if (error) {
          isReading = false
          stale = new Map([...expected, ...stale])
          isOutdated ||= isAll
          return pause.start(error.retryAfterMs ?? jitter(failures++, clock.random()))
        }
        const { channels, next_cursor: next } = reply as Reply<'channel_list'>
        for (const { joined, online_count: online, ...row } of channels) found.push(row as InboxChannel)
        if (isAll && next !== null && found.length < MAX_CHANNELS) return readPage(next)
        isReading = false
        failures = 0
        take(found, isAll, expected)
        pause.start(INTERVAL)
      })
    }

    readPage()
  }

  function take (found: InboxChannel[], isAll: boolean, expected: Map<string, unknown>): void {
    const before = rows
    // A channel that got a message meanwhile may have moved from a later page to one that was read before.
    rows = new Map([...before].filter(([name]) => !isAll || stale.has(name) || isOpen(name)))
    const changed = found.filter(row => {
      expected.delete(row.name)
      const heard = stale.get(row.name)
      if (heard && (row.last_seq < heard.seq || row.read_seq < heard.readTo)) return false
      stale.delete(row.name)
      return put(row, before.get(row.name))
    })
    if (isAll) isWhole = true
    // A channel that is not at the beginning of the list may be anywhere in it.
    else if (expected.size > 0) isOutdated = true
    onChange(changed.map(({ name }) => name))
  }

  /** Keeps a row, with what its channel knows. `known` stays if it says the same. @returns whether anything has changed. */
  function put (listed: InboxChannel, known = rows.get(listed.name)): boolean {
    const { row, isKnown } = refine(listed)
    const isSame = JSON.stringify(row) === JSON.stringify(known)
    rows.set(row.name, isSame ? known! : row)
    if (!isKnown) hear(row.name, row.last_seq, row.read_seq)
    return !isSame
  }

  function replace (row: InboxChannel): void {
    if (put(row)) onChange([row.name])
  }

  /** Something has happened in a channel, so its row has to be read, soon. `spread`: milliseconds over which clients do that. */
  function hear (channelName: string, seq = 0, readTo = 0, spread = SPREAD): void {
    const before = stale.get(channelName)
    stale.set(channelName, { seq: Math.max(seq, before?.seq ?? 0), readTo: Math.max(readTo, before?.readTo ?? 0) })
    if (isOnline() && !pause.isRunning) pause.start(clock.random() * spread)
  }

  return {
    /** The rows, in no order. */
    all: (): InboxChannel[] => [...rows.values()],
    find: (channelName: string): InboxChannel | undefined => rows.get(channelName),
    /** All rows are there, and follow what happens. */
    get isWhole () { return isWhole },
    load,
    hear,
    replace,

    /** The user has read a channel so far, somewhere else. */
    mark (channelName: string, seq: number): void {
      const row = rows.get(channelName)
      if (!row || seq <= row.read_seq) return
      if (seq >= row.last_seq) replace({ ...row, read_seq: seq, unread_count: 0 })
      // The answer to a request that is under way may be older than this.
      if (seq < row.last_seq || isReading) hear(channelName, row.last_seq, seq)
    },

    drop (channelName: string): void {
      rows.delete(channelName)
      // The answer to a request that is under way may still have the channel.
      isOutdated ||= isReading
    },

    /** The whole list has to be read, by the next `load`. */
    outdate (): void {
      isOutdated = true
      if (!isWanted()) isWhole = false
    },

    /** The connection is lost. */
    stop (): void {
      era++
      pause.stop()
      isReading = isWhole = false
      isOutdated = true
      stale = new Map()
    },

    clear (): void { rows = new Map() }
  }
}
