import { MINUTE } from './calendar.ts'
import type { CastOptions, Said } from './conversations.ts'
import type { Change, Entry, Reaction } from './model.ts'
import type { Random } from './random.ts'

/** The share of messages without reactions of their own that get a common one. */
const COMMON_SHARE = 0.07
const common = ['👍', '❤️', '😂', '🙏', '👀']
const EDITED_SHARE = 0.025
const DELETED_SHARE = 0.004
const TAKEN_BACK_SHARE = 0.02

/** Adds reactions, edits and deletions to what was said, and numbers all of it in the order of time. All times are before `until`. */
export function liven (random: Random, said: Said[], until: number, { membersAt }: Pick<CastOptions, 'membersAt'>): Entry[] {
  const repliedTo = new Set(said.map(({ message }) => message.replyTo))
  const entries: Entry[] = said.map(({ message }) => message)
  for (const { message, reactions } of said) {
    const at = soonAfter(random, message.at)
    if (at < until && !repliedTo.has(message) && random.chance(DELETED_SHARE)) {
      message.deletedAt = at
      entries.push({ kind: 'deleted', at, by: message.by, seq: 0, message } satisfies Change)
    } else if (at < until && message.text.length > 30 && random.chance(EDITED_SHARE)) {
      message.editedAt = at
      entries.push({ kind: 'edited', at, by: message.by, seq: 0, message } satisfies Change)
    }
    entries.push(...react(random, { message, reactions }, until, membersAt))
  }
  return number(entries)
}

/** Sorts entries by time and numbers them from 1. */
export function number (entries: Entry[]): Entry[] {
  const sorted = entries.toSorted((a, b) => a.at - b.at)
  for (const [index, entry] of sorted.entries()) entry.seq = index + 1
  return sorted
}

function react (random: Random, { message, reactions }: Said, until: number, membersAt: CastOptions['membersAt']): Reaction[] {
  const wanted = reactions.filter((_, index) => random.chance([0.75, 0.45, 0.3][index] ?? 0.2))
  if (reactions.length === 0 && random.chance(COMMON_SHARE)) wanted.push(random.pick(common))
  const made: Reaction[] = []
  for (const [index, reaction] of wanted.entries()) {
    const others = membersAt(message.at).filter(account => account !== message.by)
    const count = Math.min(others.length, 1 + Math.floor(random.next() ** 2 * (index === 0 ? 6 : 3)))
    for (const by of random.shuffle(others).slice(0, count)) {
      const at = soonAfter(random, message.at)
      if (at >= Math.min(until, message.deletedAt ?? until) || !membersAt(at).includes(by)) continue
      const added: Reaction = { kind: 'reaction', at, by, seq: 0, message, reaction, added: true, current: true }
      made.push(added)
      const back = at + Math.floor(random.between(1500, 20_000))
      if (back < Math.min(until, message.deletedAt ?? until) && random.chance(TAKEN_BACK_SHARE)) {
        added.current = false
        made.push({ ...added, at: back, added: false })
      }
    }
  }
  return made
}

function soonAfter (random: Random, at: number): number {
  return at + Math.floor(4000 - Math.log(1 - random.next()) * 4 * MINUTE)
}
