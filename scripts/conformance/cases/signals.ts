import { command, isNotice, type Case } from '../stage.ts'
import { check, same } from '../verdict.ts'

/** Signals: told to whoever listens now, and not kept. */
export const cases: Case[] = [
  {
    rule: 'P42',
    title: 'a signal goes to the other subscribed connections, and is neither echoed nor stored',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const second = await stage.join(stage.ann, name)
      const data = { typing: true, odd: ['ü', null] }
      await host.must({ type: 'signal', channel: name, event: 'typing', data })
      for (const connection of [guest, second]) {
        const heard = await connection.expect('the signal', isNotice('signal', name))
        same([heard.event, heard.user_id, heard.data, heard.seq], ['typing', stage.ann.id, data, undefined], 'the signal without seq:')
      }
      await host.none('signal on the connection that sent it', isNotice('signal', name))
      const { last_seq: last } = await stage.rest.must('GET', `/api/channels/${name}`, { token: stage.ann.token })
      check(last === 0, 'last_seq 0: a signal is no entry', last)
    }
  },
  {
    rule: 'P42',
    title: 'a signal needs an event, a subscription on the connection, and that its user is not muted; over REST a membership',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      for (const event of ['Typing', '1st', '', 'x'.repeat(33)]) {
        await host.mustNot({ type: 'signal', channel: name, event }, 'invalid_frame')
      }
      const second = await stage.connect(stage.ben)
      const signal = { type: 'signal', channel: name, event: 'typing' }
      await second.mustNot(signal, 'not_in_channel')
      await stage.rest.must('POST', `/api/channels/${name}/signals`, { token: stage.ben.token, body: { event: 'by-rest' } })
      await host.expect('the signal', frame => isNotice('signal', name)(frame) && frame.event === 'by-rest')
      await command(host, 'mute_user', { channel: name, user_id: stage.ben.id, duration: 60 })
      const reply = await guest.ask(signal)
      check(reply.type === 'error', 'a refusal of a muted user\'s signal', reply)
    }
  }
]
