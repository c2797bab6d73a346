import { command, isNotice, say, type Case } from '../stage.ts'
import { check, same } from '../verdict.ts'

/** Bans, mutes, invitations, the log, settings and reports. */
export const cases: Case[] = [
  {
    rule: 'P22',
    title: 'a muted user\'s message is muted with retry_after_ms, a banned user\'s join is banned, until either ends',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const about = { channel: name, user_id: stage.ben.id }
      const send = { type: 'send_message', channel: name, message: 'may I?' }
      await command(host, 'mute_user', { ...about, duration: 100 })
      const { retry_after_ms: wait } = await guest.mustNot(send, 'muted')
      check(wait > 0 && wait <= 100_000, 'retry_after_ms of at most 100000', wait)
      await command(host, 'unmute_user', about)
      await guest.must(send)
      await command(host, 'ban_user', { ...about, reason: 'a test' })
      await guest.mustNot({ type: 'join_channel', channel: name }, 'banned')
      await command(host, 'unban_user', about)
      await guest.must({ type: 'join_channel', channel: name })
    }
  },
  {
    rule: 'P57',
    title: 'members and invited users are told of acts on them, others are not; an invitation may be declined',
    async run (stage) {
      const { ann, ben, connect, channel } = stage
      const [host, other] = await Promise.all([connect(ann), connect(ben)])
      const { name } = await channel(ann, host, [], { channel_type: 'private' })
      const about = { channel: name, user_id: ben.id }
      await command(host, 'mute_user', { ...about, duration: 100 })
      await command(host, 'unmute_user', about)
      await command(host, 'invite_user', about)
      const told = await other.expect('invited_to_channel', isNotice('invited_to_channel', name))
      check(told.channel_type === 'private', 'the channel_type private in invited_to_channel', told)
      await other.none('notice of a mute to a user who was not in the channel', frame => frame.channel === name)
      const { invitations } = await stage.rest.must('GET', '/api/me/invitations?limit=100', { token: ben.token })
      const listed = invitations.find((invitation: { channel: string }) => invitation.channel === name)
      check(listed?.invited_by === ann.id, 'the invitation in the list', listed)
      await command(other, 'decline_invitation', { channel: name })
      await other.mustNot({ type: 'join_channel', channel: name }, 'channel_not_found')
      await command(host, 'invite_user', about)
      await other.expect('invited_to_channel', isNotice('invited_to_channel', name))
      await other.must({ type: 'join_channel', channel: name })
      const acts = { mute_user: 'muted_in_channel', ban_user: 'banned_from_channel', unban_user: 'unbanned_from_channel' }
      for (const [act, notice] of Object.entries(acts)) {
        await command(host, act, about)
        await other.expect(notice, isNotice(notice, name))
      }
    }
  },
  {
    rule: 'P63',
    title: 'each act that changed something is a line of the channel\'s log, which its moderators read',
    async run (stage) {
      const { host, name } = await stage.pair()
      const about = { channel: name, user_id: stage.ben.id }
      await command(host, 'unmute_user', about)
      const acts = ['mute_user', 'unmute_user', 'add_moderator', 'remove_moderator', 'kick_user']
      for (const act of acts) await command(host, act, about)
      await command(host, 'update_channel', { channel: name, topic: 'logged' })
      const { log } = await stage.rest.must('GET', `/api/channels/${name}/log`, { token: stage.ann.token })
      const lines = log.map(({ action }: { action: string }) => action).reverse()
      same(lines, [...acts, 'set_topic'], 'lines of the log, oldest first:')
      check(log.every((line: { actor_id: string }) => line.actor_id === stage.ann.id), 'the actor of each line', log[0])
      await stage.rest.mustNot('GET', `/api/channels/${name}/log`, 'not_authorized', { token: stage.ben.token })
    }
  },
  {
    rule: 'P50',
    title: 'settings are changed all or none, and all subscribers are told',
    async run (stage) {
      const { host, guest, name } = await stage.pair({ topic: 'first', slow_mode: 5 })
      const { topic, slow_mode: slow, retention } = await guest.must({ type: 'join_channel', channel: name })
      same([topic, slow, retention], ['first', 5, null], 'topic, slow_mode and retention:')
      const change = { command: 'update_channel', channel: name }
      await host.mustNot(change, 'invalid_frame')
      await host.mustNot({ ...change, topic: 'half', retention: 0 }, 'invalid_frame')
      await guest.mustNot({ ...change, topic: 'mine' }, 'not_authorized')
      await command(host, 'update_channel', { channel: name, topic: 'second' })
      for (const connection of [host, guest]) {
        const told = await connection.expect('channel_updated', isNotice('channel_updated', name))
        same([told.topic, told.slow_mode], ['second', 5], 'topic and slow_mode of channel_updated:')
      }
    }
  },
  {
    rule: 'P50',
    title: 'in slow mode a member\'s second message is rate_limited with retry_after_ms, a moderator\'s is not',
    async run (stage) {
      const { host, guest, name } = await stage.pair({ slow_mode: 30 })
      const send = { type: 'send_message', channel: name, message: 'slowly', client_id: 'one' }
      await guest.must(send)
      const refused = await guest.mustNot({ ...send, client_id: 'two' }, 'rate_limited')
      check(refused.retry_after_ms > 0 && refused.retry_after_ms <= 30_000, 'retry_after_ms of at most 30000', refused)
      const again = await guest.once(send)
      check(again.type === 'success', 'a stored client_id again', again)
      await say(host, name, 'one')
      const free = await host.once({ type: 'send_message', channel: name, message: 'two' })
      check(free.type === 'success', 'success of a moderator in slow mode', free)
    }
  },
  {
    rule: 'P49',
    title: 'a member reports a message of others once; moderators are told, list the report and settle it once',
    async run (stage) {
      const { host, guest, name } = await stage.pair()
      const watcher = await stage.connect(stage.ann)
      const third = stage.people.third()
      const reader = await stage.join(third, name)
      const { id } = await say(guest, name, 'rude')
      const report = { command: 'report_message', channel: name, id }
      await guest.mustNot(report, 'not_authorized')
      const { report_id: first } = await reader.must({ ...report, reason: ' spam ' })
      const filed = await watcher.expect('report_filed', isNotice('report_filed', name))
      same([filed.report?.id, filed.report?.reason], [first, 'spam'], 'id and reason of the report:')
      const { report_id: again } = await reader.must(report)
      check(again === first, 'the same report while it is open', again)
      await guest.none('report to the author', isNotice('report_filed', name))
      const path = `/api/channels/${name}/reports`
      const { token } = stage.ann
      const { reports } = await stage.rest.must('GET', `${path}?status=open`, { token })
      same(reports.map(({ id, message }: { id: string, message: string }) => [id, message]), [[first, 'rude']], 'open reports:')
      await command(host, 'delete_message', { channel: name, id })
      const settled = await stage.rest.must('PATCH', `${path}/${first}`, { token, body: { resolution: 'removed' } })
      same([settled.resolution, settled.settled_by, settled.message], ['removed', stage.ann.id, 'rude'], 'the settled report:')
      await stage.rest.must('PATCH', `${path}/${first}`, { token, body: { resolution: 'removed' } })
      await stage.rest.mustNot('PATCH', `${path}/${first}`, 'report_settled', { token, body: { resolution: 'dismissed' } })
      await stage.rest.mustNot('GET', path, 'not_authorized', { token: third.token })
    }
  }
]
