import type { Frame } from '../connection.ts'
import { isNotice, say, type Case } from '../stage.ts'
import { check } from '../verdict.ts'

/** Milliseconds by which notices about positions may be late, besides what an answer may take. */
const LATE = 2000

/** Cases about read positions, unread messages, and activity in channels without a subscription. */
export const cases: Case[] = [
  {
    rule: 'P43',
    title: 'mark_read raises the position, never lowers it, and is told to the user\'s other connections',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const second = await stage.connect(stage.ben)
      for (let n = 0; n < 3; n++) await say(host, name, `${n}`)
      const mark = (seq: number) => ({ type: 'mark_read', channel: name, seq })
      const { seq } = await guest.must(mark(2))
      check(seq === 2, 'the position 2', seq)
      const told = await second.expect('read_marker', isNotice('read_marker', name), stage.deadline + LATE)
      check(told.seq === 2, 'read_marker with seq 2', told)
      const lower = await guest.must(mark(1))
      check(lower.seq === 2, 'the position 2 still, after a lower mark', lower.seq)
      await guest.mustNot(mark(4), 'invalid_frame')
      const byRest = await stage.rest.must('PUT', `/api/channels/${name}/read`, { token: stage.ben.token, body: { seq: 3 } })
      check(byRest.seq === 3, 'the position 3 over REST', byRest.seq)
    }
  },
  {
    rule: 'P44',
    title: 'the list of channels says what is unread',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      for (let n = 0; n < 3; n++) await say(host, name, `${n}`)
      await guest.must({ type: 'mark_read', channel: name, seq: 1 })
      const listed = await find(guest, name)
      check(listed?.unread_count === 2 && listed.last_seq === 3 && listed.read_seq === 1, '2 unread of 3 messages, 1 of them read', listed)
      check(typeof listed?.last_message_at === 'string', 'last_message_at', listed)
      const own = await find(host, name)
      check(own?.unread_count === 0, '0 unread for the author', own)
    }
  },
  {
    rule: 'P44',
    title: 'a connection that asks for activity learns of messages in channels that it is not subscribed to',
    async run (stage) {
      const { host, name } = await stage.pair()
      const idle = await stage.connect(stage.ben, { activity: true })
      const { seq } = await say(host, name, 'news')
      const heard = await idle.expect('channel_activity', isNotice('channel_activity', name), stage.deadline + LATE)
      check(heard.seq === seq, `channel_activity with seq ${seq}`, heard)
    }
  },
  {
    rule: 'P45',
    title: 'in a small channel subscribers are told how far a member has read, and the list of members says it',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const { seq } = await say(host, name, 'read this')
      await guest.must({ type: 'mark_read', channel: name, seq })
      const heard = await host.expect('user_read', isNotice('user_read', name), stage.deadline + LATE)
      check(heard.user_id === stage.ben.id && heard.seq === seq, `user_read of the reader with seq ${seq}`, heard)
      const { members } = await stage.rest.must('GET', `/api/channels/${name}/members`, { token: stage.ann.token })
      const reader = members.find((member: { user_id: string }) => member.user_id === stage.ben.id)
      check(reader?.read_seq === seq, `read_seq ${seq} in the list of members`, reader)
    }
  }
]

/** Finds a channel among those that the connection's user is in. */
async function find (connection: { must (frame: object): Promise<Frame> }, name: string): Promise<Frame | undefined> {
  let cursor: string | undefined
  for (let page = 0; page < 10; page++) {
    const list = { type: 'channel_list', joined: true, limit: 100, ...cursor && { cursor } }
    const { channels, next_cursor: next } = await connection.must(list)
    const found = channels.find((channel: { name: string }) => channel.name === name)
    if (found || next === null) return found
    cursor = next
  }
  return undefined
}
