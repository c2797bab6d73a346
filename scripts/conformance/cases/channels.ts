import type { Frame } from '../connection.ts'
import { command, isMessage, isNotice, say, type Case } from '../stage.ts'
import { check, Withheld } from '../verdict.ts'

/** Channels: names, who sees and joins them, subscriptions, presence, deletion. */
export const cases: Case[] = [
  {
    rule: 'P17',
    title: 'a name that does not match is refused',
    async run ({ ann, connect }) {
      const connection = await connect(ann)
      for (const channel of ['Capital', 'with blank', '-first', 'a'.repeat(65), 'ü']) {
        await connection.mustNot({ type: 'join_channel', channel }, 'invalid_channel_name')
      }
    }
  },
  {
    rule: 'P18',
    title: 'names admin-… and moderator-… are those of their types, which users can neither create nor join',
    async run ({ ann, connect, run }) {
      const connection = await connect(ann)
      const { role } = await connection.must({ type: 'authenticate', token: ann.token })
      if (role !== 'user') throw new Withheld('not seen', 'the user who was given is no ordinary one')
      for (const [prefix, type] of [['admin', 'public'], ['moderator', 'private'], ['admin', 'admin'], ['moderator', 'moderator']]) {
        const name = `${prefix}-${run}`
        await connection.mustNot({ command: 'create_channel', name, channel_type: type }, 'not_authorized')
      }
    }
  },
  {
    rule: 'P19',
    title: 'a private channel does not exist for others, who get none of its messages, until they are invited',
    async run ({ ann, ben, connect, channel, rest }) {
      const [host, other] = await Promise.all([connect(ann), connect(ben)])
      const { name } = await channel(ann, host, [], { channel_type: 'private' })
      for (const request of [{ type: 'join_channel', channel: name }, { type: 'user_list', channel: name },
        { command: 'update_channel', channel: name, topic: 'mine' }]) await other.mustNot(request, 'channel_not_found')
      await rest.mustNot('GET', `/api/channels/${name}/messages`, 'channel_not_found', { token: ben.token })
      const { id } = await say(host, name, 'secret')
      await host.expect('the message', isMessage(name))
      await rest.mustNot('GET', `/api/channels/${name}/messages/${id}`, 'channel_not_found', { token: ben.token })
      await other.none('message of a private channel to a user who is not in it', isMessage(name))
      await command(host, 'invite_user', { channel: name, user_id: ben.id })
      await other.must({ type: 'join_channel', channel: name })
    }
  },
  {
    rule: 'P19',
    title: 'everyone may read the history and the members of a public channel',
    async run ({ ann, ben, connect, channel, rest }) {
      const host = await connect(ann)
      const { name } = await channel(ann, host)
      await say(host, name, 'open')
      for (const list of ['messages', 'members', 'online']) await rest.must('GET', `/api/channels/${name}/${list}`, { token: ben.token })
    }
  },
  {
    rule: 'P20',
    title: 'joining makes a member, says the place in the channel, and may be repeated; membership outlives the connection',
    async run ({ ann, ben, connect, channel, rest }) {
      const [host, guest] = await Promise.all([connect(ann), connect(ben)])
      const { name } = await channel(ann, host)
      const creator = await host.must({ type: 'join_channel', channel: name })
      check(creator.me?.is_moderator === true, 'the creator as a moderator', creator.me)
      for (let i = 0; i < 2; i++) {
        const { user_count: count, me } = await guest.must({ type: 'join_channel', channel: name })
        check(count === 2, '2 members', count)
        check(me?.is_moderator === false && me.muted_until === null && typeof me.is_member_since === 'string', 'an ordinary member', me)
      }
      guest.close()
      const { members } = await rest.must('GET', `/api/channels/${name}/members`, { token: ann.token })
      check(members.some((member: { user_id: string }) => member.user_id === ben.id), 'the member after the end of the connection', members)
    }
  },
  {
    rule: 'P20',
    title: 'a kick ends the membership on every connection: no further message comes, none can be sent',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const second = await stage.join(stage.ben, name)
      await command(host, 'kick_user', { channel: name, user_id: stage.ben.id })
      for (const connection of [guest, second]) await connection.expect('kicked_from_channel', isNotice('kicked_from_channel', name))
      const { seq } = await say(host, name, 'they are gone')
      await host.expect('the message', isMessage(name, seq))
      for (const connection of [guest, second]) {
        await connection.none('message after a kick', isMessage(name, seq))
        const reply = await connection.ask({ type: 'send_message', channel: name, message: 'I am still here' })
        check(reply.type === 'error', 'a refusal of a message after a kick', reply)
      }
    }
  },
  {
    rule: 'P20',
    title: 'leaving ends the membership on the user\'s other connections too, and a connection that has not joined gets nothing',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const second = await stage.connect(stage.ben)
      const { seq } = await say(host, name, 'one')
      await guest.expect('the message', isMessage(name, seq))
      await second.none('message to a connection that has not joined', isMessage(name))
      await second.must({ type: 'leave_channel', channel: name })
      await guest.expect('channel_left', isNotice('channel_left', name))
      const next = await say(host, name, 'two')
      await guest.none('message after leaving', isMessage(name, next.seq))
    }
  },
  {
    rule: 'P36',
    title: 'unsubscribing ends the subscription of this connection only, and needs none',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const second = await stage.join(stage.ben, name)
      await guest.must({ type: 'unsubscribe_channel', channel: name })
      const { seq } = await say(host, name, 'one')
      await second.expect('the message on the other connection', isMessage(name, seq))
      await guest.none('message without a subscription', isMessage(name, seq))
      const { members } = await stage.rest.must('GET', `/api/channels/${name}/members`, { token: stage.ann.token })
      check(members.length === 2, 'two members still', members)
      await guest.must({ type: 'unsubscribe_channel', channel: name })
      await guest.must({ type: 'unsubscribe_channel', channel: `${name}-none` })
    }
  },
  {
    rule: 'P23',
    title: 'user_joined comes with a user\'s first connection, user_left with the last; a second tab causes neither',
    async run (stage) {
      const { ann, ben, connect, channel } = stage
      const host = await connect(ann)
      const { name } = await channel(ann, host)
      const [first, second] = [await connect(ben), await connect(ben)]
      await first.must({ type: 'join_channel', channel: name })
      const isJoin = (frame: Frame): boolean => isNotice('user_joined', name)(frame) && frame.user_id === ben.id
      await first.expect('user_joined on the joiner\'s connection', isJoin)
      await host.expect('user_joined', isJoin)
      await second.must({ type: 'join_channel', channel: name })
      await second.must({ type: 'unsubscribe_channel', channel: name })
      await first.must({ type: 'unsubscribe_channel', channel: name })
      await host.expect('user_left', isNotice('user_left', name))
      await host.none('second user_joined or user_left', frame => isJoin(frame) || isNotice('user_left', name)(frame))
    }
  },
  {
    rule: 'P24',
    title: 'deleting a channel ends every subscription, and each subscriber is told',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      await command(host, 'delete_channel', { channel: name })
      for (const connection of [host, guest]) await connection.expect('channel_deleted', isNotice('channel_deleted', name))
      const reply = await guest.ask({ type: 'send_message', channel: name, message: 'too late' })
      check(['not_in_channel', 'channel_not_found'].includes(reply.code), 'a refusal of a message to a deleted channel', reply)
      await stage.rest.mustNot('GET', `/api/channels/${name}`, 'channel_not_found', { token: stage.ben.token })
    }
  }
]
