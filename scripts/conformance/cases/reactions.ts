import { command, isNotice, say, type Case } from '../stage.ts'
import { check, same } from '../verdict.ts'

/** Reactions to messages. */
export const cases: Case[] = [
  {
    rule: 'P40',
    title: 'a reaction is an entry, counted in the history; the same again has no effect and no seq',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const { id } = await say(host, name, 'react to this')
      const reaction = '👍'
      const added = await command(guest, 'add_reaction', { channel: name, id, reaction })
      check(added.seq === 2, 'seq 2 for the reaction', added)
      const heard = await host.expect('reaction_added', isNotice('reaction_added', name))
      same([heard.id, heard.seq, heard.reaction, heard.user_id], [id, 2, reaction, stage.ben.id], 'reaction_added:')
      const again = await command(guest, 'add_reaction', { channel: name, id, reaction })
      check(again.seq === undefined, 'no seq for the same reaction again', again)
      await command(host, 'add_reaction', { channel: name, id, reaction })
      const { reactions } = await stage.rest.must('GET', `/api/channels/${name}/messages/${id}`, { token: stage.ann.token })
      same(reactions, [{ reaction, count: 2, user_ids: [stage.ben.id, stage.ann.id] }], 'the reactions in the history, oldest first:')
      await command(guest, 'remove_reaction', { channel: name, id, reaction })
      const removed = await host.expect('reaction_removed', isNotice('reaction_removed', name))
      check(removed.seq === 4, 'seq 4 for the removal', removed)
    }
  },
  {
    rule: 'P40',
    title: 'a reaction needs a message, a visible text and a subscription on the connection; over REST a membership',
    async run (stage) {
      const { host, name } = await stage.pair()
      const { id } = await say(host, name, 'react to this')
      const add = (fields: object) => ({ command: 'add_reaction', channel: name, id, reaction: '👍', ...fields })
      for (const reaction of ['', 'a b', 'x'.repeat(33), '\u200d']) await host.mustNot(add({ reaction }), 'invalid_frame')
      await host.mustNot(add({ id: id.replace(/^.{8}/, '00000000') }), 'message_not_found')
      const second = await stage.connect(stage.ben)
      await second.mustNot(add({}), 'not_in_channel')
      const path = `/api/channels/${name}/messages/${id}/reactions/${encodeURIComponent('👍')}`
      const { seq } = await stage.rest.must('PUT', path, { token: stage.ben.token })
      check(seq === 2, 'seq 2 for a reaction over REST', seq)
    }
  }
]
