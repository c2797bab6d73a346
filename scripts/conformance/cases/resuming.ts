import type { Frame } from '../connection.ts'
import { isMessage, say, type Case } from '../stage.ts'
import { check, same } from '../verdict.ts'

/** Cases about joins that bring more than the live stream: missed entries, or the newest messages. */
export const cases: Case[] = [
  {
    rule: 'P30',
    title: 'a resume has every message after since, in order',
    async run (stage) {
      const { host, name, id } = await stage.pair()
      for (let n = 1; n <= 6; n++) await say(host, name, `${n}`)
      const reader = await stage.connect(stage.ben)
      const join = { type: 'join_channel', channel: name, channel_id: id }
      const data = await reader.must({ ...join, since: 2 })
      check(data.recovered === true, 'recovered:true', data.recovered)
      same(data.messages.map(({ seq }: { seq: number }) => seq), [3, 4, 5, 6], 'messages after since, in order:')
      const up = await reader.must({ ...join, since: 6 })
      same([up.recovered, up.messages], [true, []], 'recovered and no messages when none were missed:')
    }
  },
  {
    rule: 'P30',
    title: 'what cannot be resumed is answered recovered:false, without messages',
    async run (stage) {
      const { host, name, id } = await stage.pair()
      await say(host, name, 'one')
      const join = { type: 'join_channel', channel: name }
      for (const resume of [{ since: 5, channel_id: id }, { since: 0, channel_id: id.replace(/^.{8}/, '00000000') }, {}]) {
        const reader = await stage.connect(stage.ben)
        const { recovered, messages } = await reader.must({ ...join, ...resume })
        same([recovered, messages], [false, []], `recovered and messages for ${JSON.stringify(resume)}:`)
      }
      await host.mustNot({ ...join, since: 0 }, 'invalid_frame')
    }
  },
  {
    rule: 'P30',
    title: 'nothing is lost or doubled between a resume and the live stream',
    async run (stage) {
      const { host, name, id } = await stage.pair()
      const receipts = Array.from({ length: 24 }, (_, n) => say(host, name, `${n}`))
      const readers = await Promise.all([0, 1].map(() => stage.connect(stage.ben)))
      const joins = await Promise.all(readers.map(reader => reader.must({ type: 'join_channel', channel: name, since: 0, channel_id: id })))
      await Promise.all(receipts)
      await say(host, name, 'last')
      for (const [i, reader] of readers.entries()) {
        const isLast = (frame: Frame): boolean => isMessage(name)(frame) && frame.message === 'last'
        const { seq: last } = await reader.until('the last message', () => reader.unread.find(isLast))
        await reader.settle()
        const { messages, seq } = joins[i]!
        const missing = Array.from({ length: last }, (_, n) => n + 1).filter(wanted => wanted > seq
          ? !reader.unread.some(isMessage(name, wanted))
          : !messages.some((entry: { seq: number }) => entry.seq === wanted))
        same(missing, [], `missing of the messages 1 to ${last}, joined at ${seq}:`)
        const doubled = reader.unread.find(frame => isMessage(name)(frame) && frame.seq <= seq)
        check(doubled === undefined, `no live message up to ${seq}, which messages has`, doubled)
      }
    }
  },
  {
    rule: 'P31',
    title: 'history: n has the last n messages, and the live stream follows',
    async run (stage) {
      const { host, name } = await stage.pair()
      for (let n = 1; n <= 4; n++) await say(host, name, `${n}`)
      const reader = await stage.connect(stage.ben)
      const { messages, seq } = await reader.must({ type: 'join_channel', channel: name, history: 3 })
      same(messages.map(({ message }: { message: string }) => message), ['2', '3', '4'], 'the last three messages:')
      await say(host, name, '5')
      await reader.expect('the next message', isMessage(name, seq + 1))
      await reader.mustNot({ type: 'join_channel', channel: name, history: 101 }, 'invalid_frame')
    }
  },
  {
    rule: 'P37',
    title: 'last_id is the id of the last entry, and a resume with another one is refused',
    async run (stage) {
      const { host, name, id } = await stage.pair()
      const empty = await host.must({ type: 'join_channel', channel: name })
      check(empty.last_id === null, 'null as last_id of an empty channel', empty.last_id)
      const one = await say(host, name, 'one')
      const two = await say(host, name, 'two')
      const reader = await stage.connect(stage.ben)
      const { last_id: last } = await reader.must({ type: 'join_channel', channel: name })
      check(last === two.id, `the last_id ${two.id}`, last)
      const page = await stage.rest.must('GET', `/api/channels/${name}/messages`, { token: stage.ann.token })
      check(page.last_id === two.id, `the last_id ${two.id} over REST`, page.last_id)
      const resume = { type: 'join_channel', channel: name, channel_id: id, since: 1 }
      const known = await reader.must({ ...resume, since_id: one.id })
      check(known.recovered === true, 'recovered:true with the right since_id', known.recovered)
      for (const wrong of [two.id, null]) {
        const { recovered, messages } = await reader.must({ ...resume, since_id: wrong })
        same([recovered, messages], [false, []], `recovered and messages with since_id ${wrong}:`)
      }
      await reader.mustNot({ type: 'join_channel', channel: name, since_id: one.id }, 'invalid_frame')
    }
  }
]
