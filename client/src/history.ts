import { reacted } from './reactions.ts'
import type { Entry, Message } from './wire.ts'

/**
 * A place in the channel's sequence. `id` is that of the entry at `seq`, null where it is unknown. Edits, deletions and reactions have the
 * id of their message: `mark` says which of them the entry is.
 */
export interface Head { channelId: string, seq: number, id: string | null, mark?: string }

/** A part of the history that is missing between, or below, the messages: `after` < seq < `before`. */
export interface Gap { after: number, before: number }

/** An entry that changes a message. */
type Change = Exclude<Entry, { type: 'message' }>
export const CHANGES = ['message_edited', 'message_deleted', 'reaction_added', 'reaction_removed']

export type History = ReturnType<typeof createHistory>

/** The window of a channel's history: at most `size` messages in the order of `seq`, each once, as they are now [C1]. */
export function createHistory (size: number) {
  let messages: Message[] = []
  let shown: readonly Message[] | undefined
  let gap: Gap | undefined
  let hasOlder = false
  let head: Head | undefined
  /** Changes when the window begins anew, so that a page that was asked for earlier is not put into it. */
  let era = 0
  /** The changes of each message since pages were asked for: the answers may be older than they are. */
  const changes = new Map<string, Change[]>()
  let pagesAsked = 0

  /** Cuts the oldest messages off, and so many more. */
  function trim (more = 0): void {
    if (messages.length <= size) return
    messages.splice(0, messages.length - size + more)
    hasOlder = true
    if (gap && messages[0]!.seq >= gap.before) gap = undefined
  }

  /** A page's messages with what has changed since it was asked for, without those that the live stream brings. */
  function upToDate (page: Message[]): Message[] {
    return page.filter(({ seq }) => seq <= head!.seq).map(message => (changes.get(message.id) ?? []).reduce(changed, message))
  }

  function change (entry: Change): void {
    if (pagesAsked > 0) changes.set(entry.id, [...changes.get(entry.id) ?? [], entry])
    const at = messages.findLastIndex(({ id }) => id === entry.id)
    if (at !== -1) messages[at] = changed(messages[at]!, entry)
  }

  return {
    get head () { return head },
    get gap () { return gap },
    get hasOlder () { return hasOlder },
    get oldest () { return messages[0]?.seq },
    /** Messages that the window still has room for. */
    get room () { return size - messages.length },
    /** The messages without a copy of them. They may change at any time. */
    get current (): readonly Message[] { return messages },
    get era () { return era },
    /** Whether the window has everything that comes after this `seq`. */
    covers (seq: number): boolean {
      if (!head) return false
      const from = Math.max(gap?.before ?? 0, hasOlder ? messages[0]?.seq ?? head.seq + 1 : 0)
      return from <= seq + 1
    },
    find: (id: string): Message | undefined => messages.find(message => message.id === id),

    /** The messages as an array that stays as it is. */
    list: (): readonly Message[] => (shown ??= messages.slice()),

    /** Begins anew with the newest page. A gap covers the entries between `after`, the last one that was shown, and the page [C8]. */
    begin (page: Message[], next: Head, after?: number): void {
      era++
      messages = page
      head = next
      shown = undefined
      const first = page[0]?.seq ?? next.seq + 1
      hasOlder = first > 1
      gap = after !== undefined && first > after + 1 ? { after, before: first } : undefined
      trim()
    },

    clear (): void {
      era++
      messages = []
      head = shown = gap = undefined
      hasOlder = false
    },

    /** Applies the entry that follows the head. @returns false for one that does not. */
    apply (entry: Entry): boolean {
      if (!head || entry.seq !== head.seq + 1) return false
      head = { channelId: head.channelId, seq: entry.seq, id: entry.id, ...entry.type !== 'message' && { mark: markOf(entry) } }
      shown = undefined
      if (entry.type === 'message') {
        messages.push(toMessage(entry))
        // A list costs more where it loses its first message with each new one than where it loses some now and then.
        trim(size >> 8)
        // Entries of types that this client does not know count in the sequence, and change nothing that it shows [C12].
      } else if (CHANGES.includes(entry.type)) {
        change(entry)
      }
      return true
    },

    /** The server names the entry at the head. */
    confirm (next: Head): void {
      head = { ...head, ...next }
    },

    /** Pages are asked for: remembers what changes meanwhile, until the returned function is called. */
    expectPages (): () => void {
      pagesAsked++
      return () => { if (--pagesAsked === 0) changes.clear() }
    },

    /**
     * Puts an older page into the window, and cuts off the oldest messages where there is no room. `hole`: what is still missing below the
     * page. `isLast`: the history begins with the page. @returns how many messages are new and have room.
     */
    insert (page: Message[], hole: Gap | undefined, isLast: boolean): number {
      const known = new Set(messages.map(({ id }) => id))
      const added = upToDate(page).filter(({ id }) => !known.has(id))
      messages = [...messages, ...added].sort((a, b) => a.seq - b.seq)
      shown = undefined
      gap = hole
      if (isLast) hasOlder = false
      trim()
      return added.filter(({ seq }) => seq >= messages[0]!.seq).length
    },

    /** Shows a page somewhere in the history, above it the newest messages, and a gap between them if messages are missing there. */
    jump (page: Message[]): void {
      const lower = upToDate(page)
      const last = lower.at(-1)
      if (!last) return
      const newest = messages.filter(({ seq }) => seq >= (gap?.before ?? 0))
      const rest = newest.filter(({ seq }) => seq > last.seq)
      const kept = rest.slice(Math.max(0, rest.length + lower.length - size))
      const isWhole = newest.length > 0 && newest[0]!.seq <= last.seq && kept.length === rest.length
      messages = [...lower, ...kept]
      shown = undefined
      gap = isWhole ? undefined : { after: last.seq, before: kept[0]?.seq ?? head!.seq + 1 }
      hasOlder = lower[0]!.seq > 1
    }
  }
}

/** Identifies an entry: after the database was restored, another entry of the same message may have its `seq`. */
export function markOf ({ type, id, timestamp }: Entry): string {
  return `${type} ${id} ${timestamp}`
}

/** A message frame, as history shows it. */
export function toMessage ({ type, ...message }: Extract<Entry, { type: 'message' }>): Message {
  return message
}

/** Applies an edit, a deletion or a reaction. A page may have a later one already. */
function changed (message: Message, entry: Change): Message {
  if (entry.type === 'reaction_added' || entry.type === 'reaction_removed') return reacted(message, entry)
  const { data, reactions, reactions_seq: reactionsSeq, ...rest } = message
  if (entry.type === 'message_deleted') return { ...rest, message: null, deleted: true }
  if (message.deleted || (message.edited_at ?? '') > entry.timestamp) return message
  const kept = entry.data === undefined ? data : entry.data ?? undefined
  const shown = reactions && { reactions, ...reactionsSeq !== undefined && { reactions_seq: reactionsSeq } }
  return { ...rest, message: entry.message, ...kept !== undefined && { data: kept }, ...shown, edited_at: entry.timestamp }
}
