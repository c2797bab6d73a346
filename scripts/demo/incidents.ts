import { DAY, HOUR, MINUTE } from './calendar.ts'
import type { NewId } from './ids.ts'
import type { Account, Channel, LogLine, Message, Report } from './model.ts'
import type { Role } from './quarrel.ts'
import type { Random } from './random.ts'

/** The quarrel is between people who say little otherwise. The moderator is the one that visitors can be. */
export function quarrellers ({ members }: Channel, [, moderator, visitor]: Account[]): Record<Role, Account> {
  const quiet = members.map(({ account }) => account).filter(account => account.role === 'user' && account !== visitor).reverse()
  const [tabs, spaces, witness, peace] = quiet
  return { tabs: tabs!, spaces: spaces!, witness: witness!, peace: peace!, moderator: moderator! }
}

/** Returns the lines of the log in which the admin and the moderators got their roles. */
export function roleLog (accounts: Account[], founding: number): LogLine[] {
  return accounts.filter(({ role }) => role !== 'user').map((target, index) => ({
    at: founding + HOUR + index * MINUTE, by: target.role === 'admin' ? null : accounts[0]!, action: `set_role_${target.role}`, target
  }))
}

/** The first acts in a channel: its topic, its moderators, and in a private one the invitations. */
export function foundingLog (channel: Channel, accounts: Account[]): LogLine[] {
  const { createdBy, createdAt, type, members } = channel
  const by = createdBy ?? accounts[0]!
  const log: LogLine[] = [{ at: createdAt + 5 * MINUTE, by, action: 'set_topic', channel }]
  for (const target of channel.moderators) {
    if (target !== createdBy) log.push({ at: createdAt + 10 * MINUTE, by, action: 'add_moderator', target, channel })
  }
  if (type === 'private') {
    for (const { account, joinedAt } of members) {
      if (account !== createdBy) log.push({ at: Math.max(createdAt, joinedAt - HOUR), by, action: 'invite_user', target: account, channel })
    }
  }
  return log
}

/** Invites the member whom visitors can be to the private channel that was made last. */
export function invite (channels: Channel[], account: Account, now: number, log: LogLine[]): void {
  const channel = channels.findLast(({ type }) => type === 'private')
  const by = channel?.createdBy
  if (!channel || !by) return
  const at = now - 3 * HOUR
  channel.invitations.push({ account, by, at })
  log.push({ at, by, action: 'invite_user', target: account, channel })
}

/** Two reports of the first channel: one was dismissed, one is still open. */
export function smallReports (
  random: Random, channel: Channel, accounts: Account[], now: number, newId: NewId, log: LogLine[]
): Report[] {
  const [admin, , by] = accounts as [Account, Account, Account]
  const candidates = channel.entries.filter((entry): entry is Message =>
    entry.kind === 'message' && entry.deletedAt === undefined && entry.by.role === 'user' && entry.by !== by && entry.at > now - 4 * DAY &&
    entry.at < now - HOUR)
  if (candidates.length < 2) return []
  const [older, newer] = [random.pick(candidates.slice(0, candidates.length / 2)), random.pick(candidates.slice(candidates.length / 2))]
  const [dismissed, open] = [newId(older.at + 10 * MINUTE), newId(newer.at + 10 * MINUTE)]
  const settledAt = older.at + 40 * MINUTE
  log.push({ at: settledAt, by: admin, action: 'settle_report_dismissed', target: older.by, channel, reason: dismissed })
  return [
    {
      id: dismissed, channel, message: older, by, at: older.at + 10 * MINUTE, reason: 'I pressed the wrong button, sorry.',
      settled: { resolution: 'dismissed', by: admin, at: settledAt }
    },
    { id: open, channel, message: newer, by, at: newer.at + 10 * MINUTE, reason: 'Is this in the right channel?' }
  ]
}
