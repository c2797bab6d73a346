import { get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { unexportedColumns, exportSections } from '../../src/store/export-sections.ts'
import type { Logger } from 'pino'
import { createCounters } from '../../src/counters.ts'
import { createStores } from '../../src/domain.ts'
import type { AppError } from '../../src/errors.ts'
import { createExports } from '../../src/services/exports.ts'
import { eventually } from '../eventually.ts'
import { startServer, type Person, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { openTestDatabase } from '../routes/rest.ts'
import { t } from '../tap.ts'
import { counts, settings } from './settings.ts'

type Line = Record<string, unknown> & { type: string }

const fetchExport = (server: Server, by: Person) =>
  fetch(`${server.origin}/api/me/export`, { headers: { authorization: `Bearer ${by.access_token}` } })

async function linesOf (response: Response): Promise<Line[]> {
  return (await response.text()).trimEnd().split('\n').map(line => JSON.parse(line) as Line)
}

/** Begins an export as soon as no other one of this user runs, and reads nothing of it. */
const beginExport = (server: Server, token: string): Promise<IncomingMessage> => eventually(async () => {
  const request = get(`${server.origin}/api/me/export`, { headers: { authorization: `Bearer ${token}` } })
  const [response] = await once(request, 'response') as [IncomingMessage]
  if (response.statusCode === 200) return response
  response.destroy()
  return undefined
}, 60_000)

/** Adds messages of this many characters, numbered from `first`. */
const fill = (server: Pick<Server, 'database'>, by: Person, count: number, { first = 1, length = 4000 } = {}) => server.database.query(`
  INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
  SELECT $1::uuid, n, parley_new_id(), $1::uuid, repeat('x', ${length}), now()
  FROM generate_series(${first}, ${first + count - 1}) n`, [by.user.id])

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P71] exports on ${name}`, async t => {
    const [a, b] = await start(t)
    /** Somebody whose export does not fit into the buffers of a connection. */
    const wordy = await a.register('wordy')
    await fill(a, wordy, 5000)

    t.test('[P71] an export has everything that is kept of a person, no secret, and nothing of others', async t => {
      const rows = createRows(a.database)
      const ann = await a.enter('ann', 'tea')
      const ben = await a.enter('ben', 'tea')
      const room = await rows.channel('private', { name: 'room' })
      const secretly = await rows.channel('public', { name: 'secretly' })
      await rows.invitation(room, ann)
      await rows.ban(room, ann)
      await rows.mute(room, ann, 60_000)
      await rows.ban(secretly, ann)
      await a.database.query('UPDATE "ChannelBan" SET told = 0 WHERE "channelId" = $1::uuid', [secretly.id])
      await a.database.query(`INSERT INTO "ModerationLog" (id, action, "actorId", "targetId", "channelId") VALUES
        (parley_new_id(), 'ban_user', $1::uuid, $2::uuid, $3::uuid), (parley_new_id(), 'ban_user', $1::uuid, $2::uuid, $4::uuid),
        (parley_new_id(), 'kick_user', $2::uuid, $1::uuid, $3::uuid), (parley_new_id(), 'kick_user', $1::uuid, $1::uuid, $3::uuid)`,
      [ben.person.user.id, ann.person.user.id, room.id, secretly.id])
      const { data: first } = await ann.request({ type: 'send_message', channel: 'tea', message: 'hello', data: { n: 1 }, client_id: 'c' })
      const { data: second } = await ann.request({ type: 'send_message', channel: 'tea', message: 'gone' })
      await ann.request({ type: 'command', command: 'edit_message', channel: 'tea', id: first.id, message: 'hello again' })
      await ann.request({ type: 'command', command: 'delete_message', channel: 'tea', id: second.id })
      const { data: third } = await ben.request({ type: 'send_message', channel: 'tea', message: 'of ben' })
      const about = { channel: 'tea', id: third.id }
      await ann.request({ type: 'command', command: 'add_reaction', ...about, reaction: '👍' })
      await ann.request({ type: 'command', command: 'report_message', ...about, reason: 'too short' })
      await ben.request({ type: 'command', command: 'add_reaction', channel: 'tea', id: first.id, reaction: '🎉' })
      await ann.request({ type: 'open_direct', user_id: ben.person.user.id })
      await ann.request({ type: 'block_user', user_id: ben.person.user.id })
      await a.call('PATCH', '/api/me', { token: ann.person.access_token, body: { handle: 'ann_the_first' } })

      const response = await fetchExport(b, ann.person)
      t.equal(response.headers.get('content-type'), 'application/x-ndjson; charset=utf-8')
      t.match(response.headers.get('content-disposition'), /^attachment; filename="parley-\d{4}-\d\d-\d\d\.ndjson"$/)
      t.equal(response.headers.get('cache-control'), 'no-store')
      const lines = await linesOf(response)
      const of = (type: string) => lines.filter(line => line.type === type)
      t.match(lines[0], { type: 'export', version: 1, user_id: ann.person.user.id, created_at: /Z$/ })
      t.match(lines.at(-1), { type: 'end', lines: lines.length - 2 })
      t.match(of('profile'), [{ id: ann.person.user.id, email: ann.person.email, name: 'ann', role: 'user', created_at: /Z$/ }])
      t.match(of('profile'), [{ handle: 'ann_the_first', email_verified_at: null }])
      t.match(of('login'), [{ login_id: String, created_at: /Z$/, used_at: null, revoked_at: null }])
      t.match(of('membership').find(({ channel }) => channel === 'tea'), { joined_at: /Z$/, read_seq: Number })
      t.equal(of('membership').length, 2)
      t.match(of('former_handle'), [{ hash: /^[0-9a-f]{64}$/ }])
      t.match(of('direct'), [{ channel: /^direct-/, peer_id: ben.person.user.id }])
      t.match(of('block'), [{ user_id: ben.person.user.id, created_at: /Z$/ }])
      t.match(of('report'), [{ channel: 'tea', message_id: third.id, reason: 'too short', resolution: null }])
      t.match(of('reaction'), [{ message_id: third.id, reaction: '👍', added: true, created_at: /Z$/ }])
      t.match(of('invitation'), [{ channel: 'room', invited_by: ann.person.user.id }])
      t.match(of('channel_created'), [{ channel: 'tea' }])
      t.match(of('moderator'), [{ channel: 'tea' }])
      t.match(of('ban'), [{ channel: 'room', reason: null, expires_at: null }])
      t.match(of('mute'), [{ channel: 'room', expires_at: /Z$/ }])
      t.match(of('message'), [
        { id: first.id, seq: 1, channel: 'tea', message: 'hello again', data: { n: 1 }, client_id: 'c', edited_at: /Z$/, deleted_at: null },
        { id: second.id, seq: 2, channel: 'tea', message: null, deleted_at: /Z$/ }
      ])
      t.match(of('message_change'), [{ kind: 'edited', message_id: first.id, seq: 3 }, { kind: 'deleted', message_id: second.id, seq: 4 }])
      t.match(of('log').sort((one, other) => String(one.action) < String(other.action) ? -1 : 1), [
        { action: 'ban_user', by_me: false, about_me: true, target_id: null, channel_id: room.id },
        { action: 'kick_user', by_me: true, about_me: false, target_id: ben.person.user.id }
      ])
      t.equal(of('log').length, 2)

      const text = JSON.stringify(lines)
      t.notMatch(text, /of ben|"key"|"mine"|"live"/)
      const secrets = await a.database.query<{ secret: string }>(`
        SELECT "passwordHash" AS secret FROM "User" WHERE "passwordHash" IS NOT NULL
        UNION ALL SELECT encode("tokenHash", 'hex') FROM "RefreshToken" UNION ALL SELECT encode(salt, 'hex') FROM "RefreshToken"`, [])
      t.ok(secrets.length > 2)
      t.same(secrets.filter(({ secret }) => text.includes(secret)), [])
    })

    t.test('[P71] a long export has every message once, in order', async t => {
      const [ann, ben] = [await a.register('ann'), await a.register('ben')]
      // A page ends with a megabyte of text, or after 1000 messages of anybody.
      await fill(a, ann, 300)
      await fill(a, ben, 1100, { length: 1 })
      await fill(a, ann, 1100, { length: 1, first: 301 })
      const lines = await linesOf(await fetchExport(a, ann))
      const ids = lines.filter(({ type }) => type === 'message').map(({ id }) => id as string)
      t.equal(ids.length, 1400)
      t.same(ids, [...new Set(ids)].sort())
      t.match(lines.at(-1), { type: 'end', lines: lines.length - 2 })
    })

    t.test('[P71] one export of a user runs at a time, and a client that goes away ends theirs', async t => {
      const ben = await a.register('ben')
      const stalled = await beginExport(a, wordy.access_token)
      t.match(await a.call('GET', '/api/me/export', { token: wordy.access_token }), { status: 429, body: { code: 'rate_limited' } })
      t.equal((await fetchExport(a, ben)).status, 200)
      if (a.database.kind === 'postgresql') {
        const busy = `SELECT count(*)::int AS n FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`
        await eventually(async () => (await a.database.query<{ n: number }>(busy, []))[0]!.n === 0, 20_000)
      }
      stalled.destroy()
      const next = await beginExport(a, wordy.access_token)
      next.destroy()
    })

    t.test('[P71] an export ends without its last line when the login has ended', async t => {
      const { email, password } = wordy
      const { body: login } = await a.call('POST', '/api/auth/login', { body: { email, password } })
      const response = await beginExport(a, login.access_token)
      t.equal((await b.call('POST', '/api/auth/logout', { body: { refresh_token: login.refresh_token } })).status, 204)
      let text = ''
      await t.rejects(async () => { for await (const piece of response.setEncoding('utf8')) text += piece })
      t.notMatch(text, /"type":"end"/)
    })
  })
}

for (const [name, start] of Object.entries(counts)) {
  t.test(`[P71] the number of exports an hour is limited for each user, on ${name}`, async t => {
    const [limited, other] = await start(t, { limits: { user_exports: 2 } })
    const ann = await limited.register('ann')
    for (const server of [limited, other]) t.match((await linesOf(await fetchExport(server, ann))).at(-1), { type: 'end' })
    const { status, body } = await limited.call('GET', '/api/me/export', { token: ann.access_token })
    t.match({ status, body }, { status: 429, body: { code: 'rate_limited' } })
    t.ok(body.retry_after_ms > 60_000, `${body.retry_after_ms} ms`)
    t.equal((await other.call('GET', '/api/me/export')).status, 401)
    t.equal((await fetch(`${limited.origin}/api/me/export`, { method: 'HEAD' })).status, 404)
  })
}

t.test('[P71] a client that takes nothing for a while is given up', async t => {
  const { database, ...server } = await startServer(t)
  const ann = await server.register('ann')
  await fill({ database }, ann, 200)
  const counters = createCounters({ url: undefined, prefix: '', logger: server.app.log as Logger })
  const exports = createExports({ store: createStores(database).exports, counters, perHour: 0, patience: 50 })
  const actor = { userId: ann.user.id, sid: null }
  const stream = await exports.begin(actor)
  stream.on('error', () => {})
  stream.read(1)
  await eventually(() => stream.destroyed, 20_000)
  t.equal((stream.errored as AppError).code, 'busy')
  await eventually(async () => (await exports.begin(actor)).destroy(), 5000)
})

t.test('[P71] every column with an id of a user is in a section of the export or has a reason not to be', async t => {
  const database = await openTestDatabase(t)
  const rows = await database.query<{ name: string }>(`SELECT table_name || '.' || column_name AS name FROM information_schema.columns
    WHERE table_schema = current_schema() AND udt_name IN ('uuid', '_uuid') ORDER BY 1`, [])
  /** Names of columns with ids of other things. */
  const others = ['id', 'channelId', 'channelIds', 'messageId', 'replyTo', 'familyId', 'instanceId', 'loginsEndedUpToId', 'backfill']
  const users = rows.map(({ name }) => name).filter(name => name === 'User.id' || !others.includes(name.split('.')[1]!))
  t.same(users, [...exportSections.flatMap(({ columns }) => columns), ...Object.keys(unexportedColumns)].sort())
})
