import { randomUUID } from 'node:crypto'
import { settings } from '../cluster/settings.ts'
import type { Client } from '../client.ts'
import { nextMillisecond } from '../eventually.ts'
import type { Person, Server } from '../helper.ts'
import { commands } from '../../src/requests/table.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

/** What an act needs: an admin, a member and message of theirs in `channel`, reports of it, and a command or REST request of the admin. */
interface Stage {
  channel: string
  target: Person
  message: string
  /** The ids of three open reports of the message. */
  reports: string[]
  command (name: string, fields?: object): Promise<unknown>
  rest (method: string, path: string, body?: object): Promise<unknown>
}

interface Row {
  action: string
  run (stage: Stage): Promise<unknown>
  /** The fields of the line besides `action`, `actor_id` and the channel. By default the target, no reason and no end. */
  line?: (stage: Stage) => object
  /** False for acts that do not belong to a channel. */
  inChannel?: false
  /** The act changes nothing when it is done a second time, which adds no line. */
  once?: true
  /** The command, where it does not have the name of the act. */
  of?: string
}

const nobody = () => ({ target_id: null })

/** Every act that the log has, in an order in which each has an effect. */
const acts: Row[] = [
  { action: 'mute_user', run: ({ command }) => command('mute_user', { duration: 60 }), line: () => ({ expires_at: String }) },
  { action: 'unmute_user', run: ({ command }) => command('unmute_user'), once: true },
  { action: 'kick_user', run: ({ command }) => command('kick_user'), once: true },
  { action: 'invite_user', run: ({ command }) => command('invite_user'), once: true },
  { action: 'ban_user', run: ({ command }) => command('ban_user', { reason: 'noise' }), line: () => ({ reason: 'noise' }) },
  { action: 'unban_user', run: ({ command }) => command('unban_user'), once: true },
  { action: 'add_moderator', run: ({ command }) => command('add_moderator'), once: true },
  { action: 'remove_moderator', run: ({ command }) => command('remove_moderator'), once: true },
  ...(['dismissed', 'removed', 'sanctioned'] as const).map((resolution, i): Row => ({
    action: `settle_report_${resolution}`,
    run: ({ rest, channel, reports }) => rest('PATCH', `/api/channels/${channel}/reports/${reports[i]}`, { resolution }),
    line: ({ reports }) => ({ reason: reports[i] }),
    once: true
  })),
  { action: 'delete_message', run: ({ command, message }) => command('delete_message', { id: message }), once: true },
  ...(['private', 'moderator', 'admin', 'public'] as const).map((type): Row => ({
    action: `set_type_${type}`,
    run: ({ rest, channel }) => rest('PATCH', `/api/channels/${channel}`, { channel_type: type }),
    line: nobody,
    once: true
  })),
  ...[{ topic: 'news' }, { slow_mode: 60 }, { retention: 30 }].map((setting): Row => ({
    action: `set_${Object.keys(setting)[0]}`,
    run: ({ command }) => command('update_channel', setting),
    line: nobody,
    once: true,
    of: 'update_channel'
  })),
  { action: 'delete_channel', run: ({ command }) => command('delete_channel'), line: nobody, once: true },
  ...(['moderator', 'admin', 'user'] as const).map((role): Row => ({
    action: `set_role_${role}`,
    run: ({ rest, target }) => rest('PATCH', `/api/admin/users/${target.user.id}`, { role }),
    inChannel: false,
    once: true
  })),
  ...([true, false] as const).map((disabled): Row => ({
    action: disabled ? 'disable_user' : 'enable_user',
    run: ({ rest, target }) => rest('PATCH', `/api/admin/users/${target.user.id}`, { disabled }),
    inChannel: false,
    once: true
  })),
  {
    action: 'disconnect_user',
    run: ({ rest, target }) => rest('DELETE', `/api/admin/users/${target.user.id}/connections`),
    inChannel: false
  },
  { action: 'announce', run: ({ rest }) => rest('POST', '/api/admin/announcements', { message: 'x' }), line: nobody, inChannel: false },
  {
    action: 'create_invitation_code',
    run: ({ rest }) => rest('POST', '/api/admin/invitation-codes', {}),
    line: () => ({ target_id: null, reason: String }),
    inChannel: false
  },
  { action: 'erase_user', run: ({ rest, target }) => rest('DELETE', `/api/admin/users/${target.user.id}`), inChannel: false, once: true }
]

/** Commands that are no acts of moderation or administration: users only change or add what is their own. */
const ownCommands = ['create_channel', 'edit_message', 'decline_invitation', 'report_message', 'add_reaction', 'remove_reaction']

t.test('[P63] every command that is an act of moderation has a line in the table of this test', t => {
  const missing = Object.keys(commands).filter(name => !ownCommands.includes(name) && !acts.some(({ action, of = action }) => of === name))
  t.same(missing, [])
  t.end()
})

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P63] the log on ${name}`, async t => {
    const [a, b] = await start(t, { limits: { enabled: false } })
    const rows = createRows(a.database)
    const root = await a.enter('root')
    await rows.role(root, 'admin')

    /** The newest lines of the log, the newest first. */
    async function lines (limit = 100): Promise<Array<{ action: string }>> {
      const { body } = await b.call('GET', `/api/admin/log?limit=${limit}`, { token: root.person.access_token })
      return body.log
    }

    const countLines = (): Promise<number> => a.database.prisma.moderationLog.count()

    t.test('each act has one line, and neither an act without effect nor a refused one has any', async t => {
      const stage = await arrange(a, root)
      const ann = await arrange(a, await a.enter('ann'), stage)
      let count = await countLines()
      for (const { action, run, line: fields = () => ({}), inChannel = true, once = false } of acts) {
        await run(ann)
        t.equal(await countLines(), count, `${action}: refused to a user`)
        await run(stage)
        t.equal(await countLines(), ++count, action)
        const [line] = await lines(1)
        t.match(line, {
          action,
          actor_id: root.person.user.id,
          target_id: stage.target.user.id,
          channel: inChannel ? stage.channel : null,
          channel_id: inChannel ? String : null,
          reason: null,
          expires_at: null,
          ...fields(stage)
        }, action)
        if (!once) continue
        await run(stage)
        t.equal(await countLines(), count, `${action}: again`)
      }
    })

    t.test('of a request for several settings, each that gets another value is logged, and none if one of them is refused', async t => {
      const stage = await arrange(a, root)
      const owner = await a.enter('owner')
      const mine = await arrange(a, owner, { ...stage, channel: `log-${randomUUID()}` })
      await owner.request({ type: 'command', command: 'create_channel', name: mine.channel, topic: 'news' })
      const before = (await lines()).length
      const changes = { topic: 'news', slow_mode: 5, retention: null, channel_type: 'private' }
      t.match(await mine.command('update_channel', { ...changes, channel_type: 'admin' }), { type: 'error', code: 'not_authorized' })
      t.equal((await lines()).length, before)
      t.match(await mine.command('update_channel', changes), { type: 'success' })
      const added = (await lines()).slice(0, -before)
      t.same(added.map(({ action }) => action).sort(), ['set_slow_mode', 'set_type_private'])
      t.match(await mine.rest('PATCH', `/api/channels/${mine.channel}`, { topic: '', slow_mode: 0, retention: 1 }), { status: 200 })
      t.same((await lines()).slice(0, 3).map(({ action }) => action).sort(), ['set_retention', 'set_slow_mode', 'set_topic'])
    })

    t.test('of several requests for one change at once, one is logged', async t => {
      const { channel } = await arrange(a, root)
      const token = root.person.access_token
      const requests: Array<[string, string, object?]> = [
        ['PATCH', 'set_type_private', { channel_type: 'private' }], ['PATCH', 'set_topic', { topic: 'news' }], ['DELETE', 'delete_channel']
      ]
      for (const [method, action, body] of requests) {
        const before = (await lines()).length
        await Promise.all([a, b, a, b].map(server => server.call(method, `/api/channels/${channel}`, { token, body })))
        const log = await lines()
        t.equal(log.length, before + 1)
        t.match(log[0], { action, channel })
      }
    })

    t.test('an instance of the previous release logs deletions and changes of type', async t => {
      const { channel } = await arrange(a, root)
      const { id } = root.person.user
      await a.database.prisma.$queryRaw`SELECT code FROM parley_set_channel_type(${id}::uuid, ${channel}, 'private', NULL)`
      await nextMillisecond()
      await a.database.prisma.$queryRaw`SELECT code FROM parley_delete_channel(${id}::uuid, ${channel}, NULL)`
      t.match(await lines(), [{ action: 'delete_channel', actor_id: id, channel }, { action: 'set_type_private' }])
    })

    t.test('ids that the database makes are UUIDv7 and sort by time', async t => {
      const before = Date.now()
      const made = await a.database.prisma.$queryRaw<Array<{ id: string }>>`SELECT parley_new_id() AS id FROM generate_series(1, 100)`
      t.equal(new Set(made.map(({ id }) => id)).size, 100)
      for (const { id } of made) {
        t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        t.ok(Math.abs(parseInt(id.replaceAll('-', '').slice(0, 12), 16) - before) < 60_000)
      }
    })
  })
}

/** Prepares acts of `actor` on a new member of a new channel, or on those of `scene`. */
async function arrange (server: Server, actor: Client & { person: Person }, scene?: Stage): Promise<Stage> {
  const rows = createRows(server.database)
  async function build () {
    const target = await server.register('target')
    const channel = await rows.channel('public', { name: `log-${randomUUID()}` })
    await rows.member(channel, target)
    const message = await rows.message(channel, target)
    const reports = []
    for (const name of ['a', 'b', 'c']) {
      reports.push(await rows.report(channel, message, { author: target, reporter: await server.register(name) }))
    }
    return { channel: channel.name, target, message, reports }
  }
  const { channel, target, message, reports } = scene ?? await build()
  return {
    channel,
    target,
    message,
    reports,
    command: (command, fields) => actor.exchange({ type: 'command', command, channel, user_id: target.user.id, ...fields }),
    rest: (method, path, body) => server.call(method, path, { token: actor.person.access_token, ...body && { body } })
  }
}
