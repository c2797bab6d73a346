import { makeCommunity } from '../../scripts/demo/community.ts'
import type { Community, Message } from '../../scripts/demo/model.ts'
import { t } from '../tap.ts'

const now = Date.parse('2026-11-29T12:00:00Z')
const size = { people: 20, channels: 5, messages: 500 }

/**
 * All that people see of a community: names, texts, who said them and when, and what was done with them. The names of direct channels are
 * left out, because they are made of ids, which have the time.
 */
function seenIn ({ channels, log }: Community, withTimes = true): string {
  const timeOf = (at: number): number | undefined => withTimes ? at : undefined
  return JSON.stringify([
    channels.map(({ name, type, members, entries }) => [
      type === 'direct' ? type : name,
      members.map(({ account }) => account.name),
      entries.map(entry =>
        [entry.kind, timeOf(entry.at), entry.by.name, entry.kind === 'message' ? [entry.text, entry.replyTo?.seq] : entry.message.seq])
    ]),
    log.map(({ action, at }) => [action, timeOf(at)])
  ])
}

function messagesOf ({ entries }: Community['channels'][number]): Message[] {
  return entries.filter(entry => entry.kind === 'message')
}

t.test('one seed gives the same community each time, at another time the same texts, and another seed another community', async t => {
  const community = makeCommunity({ seed: 1, now, size })
  t.equal(seenIn(makeCommunity({ seed: 1, now, size })), seenIn(community))
  for (const hours of [5, 60, 100]) {
    const later = makeCommunity({ seed: 1, now: now + hours * 3_600_000, size })
    t.equal(seenIn(later, false), seenIn(community, false))
    const times = later.channels.flatMap(({ entries }) => entries.map(({ at }) => at))
    const last = Math.max(...times)
    t.ok(last <= now + hours * 3_600_000 && last > now + (hours - 8) * 3_600_000, `the history ends ${hours} hours later`)
  }
  const other = makeCommunity({ seed: 2, now, size })
  t.not(seenIn(other), seenIn(community))
  t.notSame(other.accounts.map(({ name }) => name), community.accounts.map(({ name }) => name))
})

t.test('a community of the full size has 200 people with different names, 30 channels and 20,000 messages of two months', async t => {
  const { accounts, channels } = makeCommunity({ seed: 1, now, size: { people: 200, channels: 30, messages: 20_000 } })
  t.equal(new Set(accounts.map(({ name }) => name)).size, 200)
  const rooms = channels.filter(({ type }) => type !== 'direct')
  t.equal(rooms.length, 30)
  const messages = channels.flatMap(messagesOf)
  t.equal(messages.length, 20_000)
  t.equal(new Set(messages.map(({ id }) => id)).size, 20_000)
  t.ok(Math.max(...messages.map(({ at }) => at)) <= now)
  t.ok(messages.filter(({ replyTo }) => replyTo).length > 2000)

  for (const { name, entries, members, bans } of channels) {
    t.ok(entries.every(({ seq, at }, index) => seq === index + 1 && at >= (entries[index - 1]?.at ?? 0)), `${name} is in order`)
    const joined = new Map(members.map(({ account, joinedAt }) => [account, joinedAt]))
    t.ok(entries.every(({ by, at }) => bans.some(({ account }) => account === by) || joined.get(by)! <= at), `members speak in ${name}`)
  }
})

t.test('neighbours in a channel do not repeat each other, and no text has a gap that a word should fill', async t => {
  const { channels } = makeCommunity({ seed: 3, now, size: { people: 60, channels: 30, messages: 6000 } })
  for (const channel of channels) {
    const texts = messagesOf(channel).map(({ text }) => text)
    t.same(texts.filter((text, index) => text === texts[index - 1]), [], channel.name)
    t.same(texts.filter(text => text.trim() === '' || /\{\w+\}|<[^>\n]*\|/.test(text)), [], channel.name)
  }
})
