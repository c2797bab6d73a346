import type { Frame } from '../connection.ts'
import { command, isMessage, isNotice, say, type Case } from '../stage.ts'
import { check, same } from '../verdict.ts'

/** New messages: what they may be, that they are stored, in which order they arrive, and that none is stored twice. */
export const cases: Case[] = [
  {
    rule: 'P25',
    title: 'a message is a text that is not blank and not too long',
    async run (stage) {
      const { host, name } = await stage.pair()
      for (const message of [undefined, null, '', ' \n\t']) {
        await host.mustNot({ type: 'send_message', channel: name, message }, 'message_required')
      }
      await host.mustNot({ type: 'send_message', channel: name, message: 7 }, 'invalid_frame')
      const tooLong = 'x'.repeat(Math.min(50_000, (host.state.first?.max_payload ?? 50_000) - 1000))
      const long = await host.ask({ type: 'send_message', channel: name, message: tooLong })
      check(long.type === 'success' || long.code === 'message_too_long', 'message_too_long or success for a long text', long)
      const text = ' two  blanks, "quotes", 😀 é '
      await say(host, name, text, { client_id: 'odd' })
      const { message } = await host.expect('the message', frame => isMessage(name)(frame) && frame.message !== tooLong)
      check(message === text, `the text ${JSON.stringify(text)} unchanged`, message)
    }
  },
  {
    rule: 'P26',
    title: 'a message is stored before it is acked, and only a connection that has joined may send',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const { id } = await say(host, name, 'stored')
      const { message } = await stage.rest.must('GET', `/api/channels/${name}/messages/${id}`, { token: stage.ben.token })
      check(message === 'stored', 'the acked message in the history', message)
      const { id: heard } = await guest.expect('the message', isMessage(name))
      check(heard === id, 'the id of the receipt in the message', heard)
      const second = await stage.connect(stage.ben)
      await second.mustNot({ type: 'send_message', channel: name, message: 'not joined here' }, 'not_in_channel')
    }
  },
  {
    rule: 'P27',
    title: 'seq rises by 1; every subscriber receives all messages in that order, each once, as the history has them',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const watcher = await stage.connect(stage.ben)
      const { seq: start } = await watcher.must({ type: 'join_channel', channel: name })
      const receipts = await Promise.all(Array.from({ length: 24 }, (_, n) => say(n % 2 === 0 ? host : guest, name, `${n}`)))
      const last = await say(host, name, 'last')
      const wanted = Array.from({ length: 25 }, (_, n) => start + 1 + n)
      same([...receipts, last].map(({ seq }) => seq as number).sort((a, b) => a - b), wanted, 'seq of the receipts:')
      for (const connection of [host, guest, watcher]) {
        await connection.until('the last message', () => connection.unread.some(({ message }) => message === 'last') || undefined)
        await connection.settle()
        same(connection.unread.filter(isMessage(name)).map(({ seq }) => seq), wanted, 'live messages in the order of seq, each once:')
      }
      const { messages } = await stage.rest.must('GET', `/api/channels/${name}/messages?limit=100`, { token: stage.ann.token })
      const ids = (list: Frame[]) => list.map(({ id }) => id)
      same(ids(watcher.unread.filter(isMessage(name))), ids(messages), 'the order of the history in the live stream:')
    }
  },
  {
    rule: 'P28',
    title: 'the same client_id again is the first message, marked duplicate, and nothing new is stored or broadcast',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const first = await say(host, name, 'once', { client_id: 'same' })
      check(first.client_id === 'same' && first.duplicate === undefined, 'a receipt with the client_id, no duplicate', first)
      await guest.expect('the message', isMessage(name))
      await guest.settle()
      guest.unread.length = 0
      const again = await say(host, name, 'once', { client_id: 'same' })
      same([again.id, again.seq, again.duplicate], [first.id, first.seq, true], 'id, seq and duplicate of the first message:')
      const { seq } = await say(host, name, 'next')
      check(seq === first.seq + 1, `seq ${first.seq + 1} for the next message`, seq)
      await guest.expect('the next message', isMessage(name, seq))
      await guest.none('message for a duplicate', frame => isMessage(name)(frame) && frame.client_id === 'same')
      const other = await say(guest, name, 'another user', { client_id: 'same' })
      check(other.duplicate === undefined, 'a new message of another user with the same client_id', other)
    }
  },
  {
    rule: 'P29',
    title: 'the sender\'s connection receives its own message',
    async run ({ ann, connect, channel }) {
      const host = await connect(ann)
      const { name } = await channel(ann, host)
      const { id } = await say(host, name, 'to me too')
      await host.expect('the sender\'s own message', frame => isMessage(name)(frame) && frame.id === id)
    }
  },
  {
    rule: 'P32',
    title: 'no message of a muted user is committed after the mute',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const stream = Array.from({ length: 15 }, (_, n) => guest.ask({ type: 'send_message', channel: name, message: `${n}` }))
      const mute = command(host, 'mute_user', { channel: name, user_id: stage.ben.id, duration: 60 })
      await mute
      const { seq: mark } = await say(host, name, 'from here on')
      const late = await guest.ask({ type: 'send_message', channel: name, message: 'after the mute' })
      check(late.type === 'error', 'a refusal after the mute', late)
      const stored = (await Promise.all(stream)).filter(({ type }) => type === 'success')
      check(stored.every(({ data }) => data.seq < mark), `only messages before seq ${mark}`, stored.at(-1)?.data)
    }
  },
  {
    rule: 'rest',
    title: 'what is done over REST is what the frames do, and reaches subscribers in the same way',
    async run (stage) {
      const { rest, ann, ben } = stage
      const [host, guest] = await Promise.all([stage.connect(ann), stage.connect(ben)])
      const name = stage.name()
      const path = `/api/channels/${name}`
      const made = await rest.call('POST', '/api/channels', { token: ann.token, body: { name, topic: 'made over REST' } })
      check(made.status === 201 && made.body.name === name, '201 and the channel', made)
      const { topic } = await host.must({ type: 'join_channel', channel: name })
      check(topic === 'made over REST', 'the topic that REST has set', topic)
      await rest.must('PUT', `${path}/members/${ben.id}`, { token: ben.token })
      await guest.must({ type: 'join_channel', channel: name })
      const sent = await rest.call('POST', `${path}/messages`, { token: ben.token, body: { message: 'by REST', client_id: 'r' } })
      check(sent.status === 201, '201 to a new message', sent)
      const heard = await host.expect('the message', isMessage(name))
      same([heard.id, heard.message, heard.user_id], [sent.body.id, 'by REST', ben.id], 'the message that REST has sent:')
      const again = await rest.call('POST', `${path}/messages`, { token: ben.token, body: { message: 'by REST', client_id: 'r' } })
      check(again.status === 200 && again.body.duplicate === true, '200 and duplicate to the same again', again)
      await rest.must('DELETE', `${path}/members/${ben.id}`, { token: ben.token })
      await guest.expect('channel_left', isNotice('channel_left', name))
      await rest.mustNot('POST', `${path}/messages`, 'not_in_channel', { token: ben.token, body: { message: 'no member' } })
    }
  }
]
