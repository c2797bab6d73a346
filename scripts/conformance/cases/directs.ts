import type { Connection } from '../connection.ts'
import type { Person } from '../people.ts'
import { command, isMessage, isNotice, say, type Case, type Stage } from '../stage.ts'
import { check, same } from '../verdict.ts'

/** Direct channels and blocks. The two cases use different pairs of users, so that a block of one does not disturb the other. */
export const cases: Case[] = [
  {
    rule: 'P47',
    title: 'a direct channel has one name for both of its users, and does not exist for others; it cannot be moderated',
    async run (stage) {
      const { people: { ann, ben }, connect, rest } = stage
      const third = stage.people.third()
      const [one, two] = await Promise.all([connect(ann), connect(ben)])
      const { channel } = await open(stage, one, ben)
      const { name } = channel
      check(/^direct-[0-9a-f]{32}$/.test(name) && channel.channel_type === 'direct', 'a name direct-… of type direct', channel)
      check(channel.peer?.user_id === ben.id, 'the other user as peer', channel.peer)
      const { channel: other } = await open(stage, two, ann)
      same([other.name, other.peer?.user_id], [name, ann.id], 'the same channel with the other peer:')
      const outsider = await connect(third)
      await outsider.mustNot({ type: 'join_channel', channel: name }, 'channel_not_found')
      await rest.mustNot('GET', `/api/channels/${name}`, 'channel_not_found', { token: third.token })
      for (const act of ['kick_user', 'invite_user']) await one.mustNot({ command: act, channel: name, user_id: ben.id }, 'not_authorized')
      await one.mustNot({ command: 'delete_channel', channel: name }, 'not_authorized')
      await one.mustNot({ command: 'create_channel', name: `direct-${'0'.repeat(32)}` }, 'invalid_channel_name')
      await one.mustNot({ type: 'open_direct', user_id: ann.id }, 'not_authorized')
      for (const connection of [one, two]) await connection.must({ type: 'join_channel', channel: name })
      const { seq } = await say(one, name, 'between us')
      await two.expect('the message', isMessage(name, seq))
      await two.must({ type: 'leave_channel', channel: name })
      await say(one, name, 'come back')
      await two.expect('direct_opened', frame => frame.type === 'direct_opened' && frame.channel?.name === name)
    }
  },
  {
    rule: 'P48',
    title: 'a blocked user can neither open nor write to the direct channel, and their invitations do not arrive',
    async run (stage) {
      const { people, connect, rest } = stage
      const [ann, cyd] = [people.ann, people.third()]
      const [one, other] = await Promise.all([connect(ann), connect(cyd)])
      const { channel: { name } } = await open(stage, one, cyd)
      for (const connection of [one, other]) await connection.must({ type: 'join_channel', channel: name })
      await one.must({ type: 'block_user', user_id: cyd.id })
      await one.must({ type: 'block_user', user_id: cyd.id })
      const { blocks } = await rest.must('GET', '/api/me/blocks?limit=100', { token: ann.token })
      check(blocks.some((block: { user_id: string }) => block.user_id === cyd.id), 'the user in the list of blocks', blocks)
      await other.mustNot({ type: 'open_direct', user_id: ann.id }, 'blocked')
      await other.mustNot({ type: 'send_message', channel: name, message: 'hello?' }, 'blocked')
      const secret = stage.name(cyd)
      await other.must({ command: 'create_channel', name: secret, channel_type: 'private' })
      await command(other, 'invite_user', { channel: secret, user_id: ann.id })
      await one.none('invitation by a blocked user', isNotice('invited_to_channel', secret))
      const { seq } = await say(one, name, 'the blocker may write')
      await other.expect('the message', isMessage(name, seq))
      await one.must({ type: 'unblock_user', user_id: cyd.id })
      await say(other, name, 'heard again')
      await one.mustNot({ type: 'block_user', user_id: ann.id }, 'not_authorized')
    }
  }
]

/** Opens a direct channel, which is deleted with the accounts of both. Users who were given keep it. */
async function open ({ left }: Stage, connection: Connection, peer: Person) {
  const data = await connection.must({ type: 'open_direct', user_id: peer.id })
  if (!peer.password) left.push(`the direct channel ${data.channel?.name}`)
  return data
}
