import { DAY, MINUTE } from './calendar.ts'
import type { ChannelPlan } from './channels.ts'
import type { NewId } from './ids.ts'
import type { Account, Channel, Member } from './model.ts'
import type { Random } from './random.ts'

/** A channel has at least so many members, if there are as many people: enough for a quarrel. */
const FEWEST = 8

/**
 * Opens a channel and chooses its members. Its first four are there from the start, the others come when they have an account, and before
 * the time `latest`.
 */
export function openChannel (
  random: Random, plan: ChannelPlan, accounts: Account[], { createdAt, latest }: { createdAt: number, latest: number }, newId: NewId
): Channel {
  const members = chooseMembers(random, plan, accounts)
  const founders = members.filter(account => account.createdAt < createdAt).slice(0, 4)
  const isDefault = plan.name === 'general'
  return {
    id: newId(createdAt), name: plan.name, type: plan.type, topic: plan.topic, createdAt, aclVersion: 0,
    createdBy: isDefault ? null : founders[0]!,
    members: members.map((account): Member => {
      const late = founders.includes(account) ? 0 : -Math.log(1 - random.next()) * 2 * DAY
      const joinedAt = Math.min(Math.max(createdAt, account.createdAt + MINUTE) + late, Math.max(createdAt, latest))
      return { account, joinedAt: Math.floor(joinedAt), readSeq: 0 }
    }),
    moderators: [...new Set([...isDefault ? [] : [founders[0]!], ...plan.type === 'public' ? [accounts[1]!] : []])],
    entries: [], bans: [], mutes: [], invitations: []
  }
}

/** The three people that visitors log in as are in most channels, so that there is something to see. */
function chooseMembers (random: Random, plan: ChannelPlan, accounts: Account[]): Account[] {
  if (plan.type === 'moderator') return accounts.filter(({ role }) => role !== 'user')
  const [admin, moderator, member] = accounts as [Account, Account, Account]
  const isOpen = plan.type === 'public'
  const isForMember = isOpen && plan.language === undefined
  const visitors = [...isOpen || plan.name === 'organisers' ? [admin, moderator] : [], ...isForMember ? [member] : []]
  const wanted = Math.max(FEWEST, Math.round(plan.reach * accounts.length))
  const chosen = new Set(visitors)
  let left = accounts.slice(3)
  while (chosen.size < wanted && left.length > 0) {
    const found = random.weighted(left, ({ talks, language }) => Math.sqrt(talks) * (language === plan.language ? 30 : 1))
    chosen.add(found)
    left = left.filter(account => account !== found)
  }
  return accounts.filter(account => chosen.has(account))
}

/** Those who may write at a time: members who are neither muted nor banned. */
export function membersOf ({ members, mutes, bans }: Channel, at: number): Account[] {
  const silent = [...mutes, ...bans].filter(sanction => sanction.at <= at && at < sanction.expiresAt).map(({ account }) => account)
  return members.filter(({ account, joinedAt }) => joinedAt <= at && !silent.includes(account)).map(({ account }) => account)
}

/** Sets up to where each member has read: most have read everything, some are a little or far behind. */
export function markRead (random: Random, { members, entries }: Channel): void {
  const own = new Map<Account, number>()
  for (const { kind, by, seq } of entries) if (kind === 'message') own.set(by, seq)
  const last = entries.length
  for (const member of members) {
    const behind = random.chance(0.55) ? 0 : Math.floor(-Math.log(1 - random.next()) * 30)
    const atJoin = entries.findLast(({ at }) => at <= member.joinedAt)?.seq ?? 0
    member.readSeq = Math.max(own.get(member.account) ?? 0, atJoin, last - behind)
  }
}
