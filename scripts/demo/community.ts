import { DAY, HOUR, MINUTE } from './calendar.ts'
import { channelPlans, QUARREL_CHANNEL, type ChannelPlan } from './channels.ts'
import { planScenes, sayScenes, type PlannedScene } from './conversations.ts'
import { openDirect, pairs } from './directs.ts'
import { createIds, type NewId } from './ids.ts'
import { foundingLog, invite, quarrellers, roleLog, smallReports } from './incidents.ts'
import { markRead, membersOf, openChannel } from './membership.ts'
import type { Account, Community, LogLine, Report } from './model.ts'
import { makePeople, type Person } from './people.ts'
import { quarrel, QUARREL_AGO, QUARREL_MESSAGES } from './quarrel.ts'
import { createRandom, type Random } from './random.ts'
import { liven, number } from './reactions.ts'
import { createTimeShift, MADE_NOW, shiftTimes } from './time-shift.ts'

/** How many people, channels and messages the demo has, besides its direct channels. */
export interface DemoSize {
  /** At least 10. */
  people: number
  /** At least 2, at most 30. */
  channels: number
  /** Messages of all channels together, those of direct channels included; at least 200. */
  messages: number
}

export const fullSize: DemoSize = { people: 200, channels: channelPlans.length, messages: 20_000 }

/** Milliseconds over which the history stretches. */
const HISTORY = 61 * DAY
/** The share of all messages that a direct channel has. */
const PAIR_SHARE = 0.001
/** The share of people who are there from the beginning. */
const FOUNDERS = 0.45

/**
 * Makes the whole community, without a database. The same seed and size give the same people, texts and order, whatever `now` is.
 * @param now Unix milliseconds at which the history ends.
 */
export function makeCommunity ({ seed, now: end, size }: { seed: number, now: number, size: DemoSize }): Community {
  const random = createRandom(seed)
  const shift = createTimeShift(end)
  const now = MADE_NOW
  const newId = createIds(random.fork('ids'), shift)
  const plans = channelPlans.slice(0, size.channels)
  const start = now - HISTORY
  const perPair = Math.max(4, Math.round(size.messages * PAIR_SHARE))
  const counts = shareOut(plans, size.messages - pairs.length * perPair)
  const planned = plans.map((plan, index) => planChannel(random.fork(plan.name), plan, counts[index]!, start, now))
  // A busy channel may begin earlier than planned, and its founders are there before.
  const founding = Math.min(start, ...planned.map(scenes => scenes[0]!.times[0]!)) - 2 * DAY
  const accounts = makeAccounts(random.fork('accounts'), makePeople(random.fork('people'), size.people), founding, now, newId)

  const log: LogLine[] = roleLog(accounts, founding)
  const reports: Report[] = []
  const channels = plans.map((plan, index) => {
    const channelRandom = random.fork(`${plan.name}/people`)
    const times = { createdAt: planned[index]![0]!.times[0]! - DAY, latest: now - QUARREL_AGO - HOUR }
    const channel = openChannel(channelRandom, plan, accounts, times, newId)
    log.push(...foundingLog(channel, accounts))
    const membersAt = (at: number): Account[] => membersOf(channel, at)
    const entries = liven(channelRandom, sayScenes(channelRandom, planned[index]!, { newId, membersAt }), endOf(plan, now), { membersAt })
    channel.entries = entries
    if (plan.name === QUARREL_CHANNEL) {
      const outbreak = quarrel(channel, quarrellers(channel, accounts), now - QUARREL_AGO, newId)
      channel.entries = number([...entries, ...outbreak.entries])
      log.push(...outbreak.log)
      reports.push(...outbreak.reports)
    }
    markRead(channelRandom, channel)
    return channel
  })
  invite(channels, accounts[2]!, now, log)
  reports.push(...smallReports(random.fork('reports'), channels[0]!, accounts, now, newId, log))
  const directs = pairs.map(([one, other]) =>
    openDirect(random.fork(`direct ${one} ${other}`), [accounts[one], accounts[other]] as [Account, Account], perPair, now, newId))
  const community = { accounts, channels: [...channels, ...directs], reports, log }
  shiftTimes(community, shift)
  return community
}

/** Shares messages out to the channels, by how much is said in them. The first channel gets what rounding leaves over. */
function shareOut (plans: ChannelPlan[], messages: number): number[] {
  const whole = plans.reduce((sum, { share }) => sum + share, 0)
  const counts = plans.map(({ share }) => Math.max(6, Math.floor(messages * share / whole)))
  counts[0]! += messages - counts.reduce((sum, count) => sum + count, 0)
  return counts
}

/** The quarrel is the last thing that happens in its channel. */
function endOf ({ name }: ChannelPlan, now: number): number {
  return name === QUARREL_CHANNEL ? now - QUARREL_AGO - 10 * MINUTE : now - 20_000
}

function planChannel (random: Random, plan: ChannelPlan, count: number, start: number, now: number): PlannedScene[] {
  // Some channels are younger than the community.
  const from = plan.reach >= 0.3 ? start : start + random.between(0, 12 * DAY)
  const scenes = plan.name === QUARREL_CHANNEL ? Math.max(1, count - QUARREL_MESSAGES) : count
  return planScenes(random, { files: plan.talk, rhythm: plan.rhythm, count: scenes, from, until: endOf(plan, now) })
}

function makeAccounts (random: Random, people: Person[], founding: number, now: number, newId: NewId): Account[] {
  return people.map((person, rank) => {
    const isFounder = rank < people.length * FOUNDERS
    const createdAt = Math.floor(isFounder ? founding + rank * 3 * MINUTE : random.between(founding + DAY, now - DAY))
    return { ...person, id: newId(createdAt), createdAt }
  })
}
