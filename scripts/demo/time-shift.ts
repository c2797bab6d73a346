import { DAY } from './calendar.ts'
import type { Community } from './model.ts'

/** The end of every history as it is made: a Thursday evening. The times do not depend on the real ones, so neither do the texts. */
export const MADE_NOW = Date.parse('2026-01-15T20:00:00Z')
const WEEK = 7 * DAY
/** The last part of a history, which is stretched or shortened so that it ends now. All that is before it keeps its weekdays and hours. */
const LAST = 2 * WEEK

/** Returns a function that turns times of a history as it is made into times of one that ends at `now`. It keeps their order. */
export function createTimeShift (now: number): (at: number) => number {
  const weeks = Math.round((now - MADE_NOW) / WEEK) * WEEK
  const from = MADE_NOW - LAST
  const factor = (now - from - weeks) / LAST
  return at => at < from ? at + weeks : Math.floor(from + weeks + (at - from) * factor)
}

/** Shifts all times of a community in place. Bans and mutes keep their lengths. */
export function shiftTimes ({ accounts, channels, reports, log }: Community, shift: (at: number) => number): void {
  for (const account of accounts) account.createdAt = shift(account.createdAt)
  for (const channel of channels) {
    channel.createdAt = shift(channel.createdAt)
    for (const member of channel.members) member.joinedAt = shift(member.joinedAt)
    for (const entry of channel.entries) {
      entry.at = shift(entry.at)
      if (entry.kind !== 'message') continue
      entry.editedAt &&= shift(entry.editedAt)
      entry.deletedAt &&= shift(entry.deletedAt)
    }
    for (const invitation of channel.invitations) invitation.at = shift(invitation.at)
  }
  for (const limited of [...channels.flatMap(({ bans, mutes }) => [...bans, ...mutes]), ...log]) {
    const length = (limited.expiresAt ?? 0) - limited.at
    limited.at = shift(limited.at)
    if (limited.expiresAt !== undefined) limited.expiresAt = limited.at + length
  }
  for (const report of reports) {
    report.at = shift(report.at)
    if (report.settled) report.settled.at = shift(report.settled.at)
  }
}
