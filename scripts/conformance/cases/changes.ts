import { setTimeout as delay } from 'node:timers/promises'
import { command, isMessage, isNotice, say, type Case } from '../stage.ts'
import { check, Deviation, same } from '../verdict.ts'

/** Milliseconds after which a message is found by a search, besides what an answer may take. */
const INDEXED = 8000

/** Cases about stored messages: edits, deletions, data, replies, pages of history, search. */
export const cases: Case[] = [
  {
    rule: 'P34',
    title: 'edits and deletions are entries with a seq, delivered and resumed; history shows messages as they are now',
    async run (stage) {
      const { host, guest, name, id: channelId } = await stage.pair()
      const edited = await say(host, name, 'before')
      const deleted = await say(host, name, 'gone soon')
      await say(host, name, 'between')
      await guest.mustNot({ command: 'edit_message', channel: name, id: edited.id, message: 'mine' }, 'not_authorized')
      const edit = await command(host, 'edit_message', { channel: name, id: edited.id, message: 'after' })
      const end = await command(host, 'delete_message', { channel: name, id: deleted.id })
      same([edit.seq, end.seq], [4, 5], 'seq of the edit and the deletion:')
      const heard = await guest.expect('message_edited', isNotice('message_edited', name))
      same([heard.id, heard.seq, heard.message], [edited.id, 4, 'after'], 'id, seq and message of message_edited:')
      const gone = await guest.expect('message_deleted', isNotice('message_deleted', name))
      same([gone.id, gone.seq, gone.user_id], [deleted.id, 5, stage.ann.id], 'id, seq and user_id of message_deleted:')
      const reader = await stage.connect(stage.ben)
      const { messages } = await reader.must({ type: 'join_channel', channel: name, since: 2, channel_id: channelId })
      same(messages.slice(-2).map(({ type }: { type: string }) => type), ['message_edited', 'message_deleted'], 'resumed entries:')
      const page = await stage.rest.must('GET', `/api/channels/${name}/messages`, { token: stage.ben.token })
      const [first, second] = page.messages
      check(first.message === 'after' && typeof first.edited_at === 'string', 'the new text with edited_at', first)
      check(second.message === null && second.deleted === true, 'message null and deleted true', second)
    }
  },
  {
    rule: 'P38',
    title: 'data comes back with the same meaning wherever the message does; what could not be kept is refused',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const data = { list: [1, 2.5, null, { ü: '😀' }], most: Number.MAX_SAFE_INTEGER, no: false }
      const { id } = await host.must({ type: 'send_message', channel: name, data })
      const live = await guest.expect('the message', isMessage(name))
      same([live.message, live.data], ['', data], 'message and data, live:')
      const one = await stage.rest.must('GET', `/api/channels/${name}/messages/${id}`, { token: stage.ben.token })
      same([one.message, one.data], ['', data], 'message and data in the history:')
      for (const refused of ['9007199254740992', '"\\u0000"', '"\\ud800"', '{"__proto__":1}', '[[[[[[[[[[[[]]]]]]]]]]]]']) {
        await host.mustNot(`{"type":"send_message","channel":"${name}","message":"x","data":${refused}}`, 'invalid_frame')
      }
      const edit = (fields: object) => command(host, 'edit_message', { channel: name, id, message: 'text', ...fields })
      await edit({})
      const kept = await guest.expect('message_edited', isNotice('message_edited', name))
      same(kept.data, data, 'the data after an edit without any:')
      await edit({ data: null })
      const removed = await guest.expect('message_edited', isNotice('message_edited', name))
      check(removed.data === null, 'null as data once it is removed', removed)
    }
  },
  {
    rule: 'P39',
    title: 'reply_to comes back wherever the message does, and has to be a message of the channel',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const { id } = await say(host, name, 'question')
      const answer = await say(guest, name, 'answer', { reply_to: id })
      const live = await host.expect('the answer', frame => isMessage(name)(frame) && frame.id === answer.id)
      check(live.reply_to === id, `reply_to ${id}, live`, live)
      const kept = await stage.rest.must('GET', `/api/channels/${name}/messages/${answer.id}`, { token: stage.ann.token })
      check(kept.reply_to === id, `reply_to ${id} in the history`, kept)
      const reply = { type: 'send_message', channel: name, message: 'x' }
      await host.mustNot({ ...reply, reply_to: id.replace(/^.{8}/, '00000000') }, 'message_not_found')
      await command(host, 'delete_message', { channel: name, id })
      await host.mustNot({ ...reply, reply_to: id }, 'message_not_found')
    }
  },
  {
    rule: 'P41',
    title: 'one message is read by id, and a page around a seq, shifted inwards at the ends',
    async run (stage) {
      const { host, name } = await stage.pair()
      for (let n = 1; n <= 7; n++) await say(host, name, `${n}`)
      const path = `/api/channels/${name}/messages`
      const { token } = stage.ben
      for (const [around, wanted] of [[4, ['2', '3', '4', '5']], [1, ['1', '2', '3', '4']], [7, ['4', '5', '6', '7']]] as const) {
        const { messages } = await stage.rest.must('GET', `${path}?around=${around}&limit=4`, { token })
        same(messages.map(({ message }: { message: string }) => message), wanted, `the page of 4 around ${around}:`)
      }
      await stage.rest.mustNot('GET', `${path}?around=4&before=3`, 'invalid_request', { token })
      await stage.rest.mustNot('GET', `${path}/00000000-0000-7000-8000-000000000000`, 'message_not_found', { token })
    }
  },
  {
    rule: 'P70',
    title: 'a message is found by its words in one\'s own channels, some seconds after it was stored',
    async run (stage) {
      const { host, name } = await stage.pair()
      const word = `w${stage.run.replaceAll('-', '')}`
      const { id } = await say(host, name, `The ${word} is blue`)
      const search = async (query: string) => {
        const path = `/api/messages?query=${encodeURIComponent(query)}&channel=${name}`
        const { messages } = await stage.rest.must('GET', path, { token: stage.ben.token })
        return messages.map((message: { id: string }) => message.id) as string[]
      }
      const end = performance.now() + INDEXED + stage.deadline
      while (!(await search(`${word.toUpperCase()} blue`)).includes(id)) {
        if (performance.now() > end) throw new Deviation('the message among those found some seconds later', 'it is not found')
        await delay(300)
      }
      same(await search(`${word} -blue`), [], 'messages without a word that they have:')
      same(await search(`"${word} blue"`), [], 'messages with words that do not follow each other:')
      await stage.rest.must('DELETE', `/api/channels/${name}/members/${stage.ben.id}`, { token: stage.ben.token })
      await stage.rest.mustNot('GET', `/api/messages?query=${word}&channel=${name}`, 'not_in_channel', { token: stage.ben.token })
    }
  }
]
