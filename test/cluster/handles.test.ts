import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { commands } from '../../src/requests/table.ts'
import type { Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import type { Person, Server } from '../helper.ts'
import { userActs } from '../rights.ts'
import { urlOf } from '../routes/routes.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { settings } from './settings.ts'

const password = 'password-of-theirs'
const some = (): string => randomUUID().slice(0, 8)

const register = (server: Server, fields: object) =>
  server.call('POST', '/api/auth/register', { body: { email: `${randomUUID()}@example.org`, name: 'Ann', password, ...fields } })

const patch = (server: Server, { access_token: token }: Pick<Person, 'access_token'>, body: object) =>
  server.call('PATCH', '/api/me', { token, body })

/** Each name with the handle that is made of it, as long as nobody has it. */
const names: Array<[string, string | RegExp]> = [
  ['Ännchen Möller', 'annchen_moller'],
  ['  José-María  ', 'jose_maria'],
  ['Øystein Łukasz Straße', 'oystein_lukasz_strasse'],
  ['ＦＵＬＬ width', 'full_width'],
  ['İpek', 'ipek'],
  ['x'.repeat(64), 'x'.repeat(32)],
  [`${'y'.repeat(31)} z`, 'y'.repeat(31)],
  ['Al', 'al2'],
  ['q', /^q\d\d$/],
  ['王小明', 'user'],
  ['😀', /^user\d$/],
  ['\u0301', /^user\d$/],
  ['Admin', 'admin2'],
  ['E v e r y o n e', 'e_v_e_r_y_o_n_e2'],
  ['a\u0001b', 'a_b'],
  ["'; DROP TABLE \"User\"; --", 'drop_table_user']
]

const reserved = [
  'admin', 'adm1n', '4dmin', 'a_d_m_i_n', 'system', 'sy5tem', 'everyone', 'every_one', 'here', 'channel', 'moderator', 'null'
]

/** Some of them, for requests that cost a hash of a password each. */
const someReserved = ['admin', '4dmin', 'every_one', 'null']

const malformed: unknown[] = [
  null, 7, '', ' ', 'ab', 'x'.repeat(33), 'Ann', '_ann', 'an-n', 'an n', 'änn', 'ann\0', 'ann\ud800', 'ann\n', ['ann'], { a: 1 }, 'ann%',
  uuidv7()
]

/** Requests for one free handle that start at once, by users with these ways to ask. */
const races: Array<{ title: string, asks: Array<'register' | 'change'> }> = [
  { title: 'two changes', asks: ['change', 'change'] },
  { title: 'two registrations', asks: ['register', 'register'] },
  { title: 'a change and a registration', asks: ['change', 'register'] },
  { title: 'eight changes', asks: Array.from({ length: 8 }, () => 'change') }
]

for (const [setting, start] of Object.entries(settings)) {
  t.test(`[P65] handles on ${setting}`, async t => {
    const pair = await start(t, { limits: { enabled: false } })
    const [a, b] = pair
    const { prisma } = a.database
    const rows = createRows(a.database)
    const handleOf = async (id: string) => (await prisma.user.findUniqueOrThrow({ where: { id } })).handle

    t.test('a registration without a handle gets one that is made of the name', async t => {
      for (const [name, handle] of names) {
        const { status, body } = await register(a, { name })
        t.match({ status, body }, { status: 201, body: { user: { name, handle } } }, name)
        t.equal(await handleOf(body.user.id), body.user.handle)
      }
    })

    t.test('registrations with one name that run at once all get handles, each another', async t => {
      const name = `n_${some()}`
      const made = await Promise.all(Array.from({ length: 12 }, (_, i) => pair[i % 2]!.register(name)))
      const handles = made.map(({ user }) => user.handle!)
      t.equal(new Set(handles).size, 12)
      t.ok(handles.includes(name))
      for (const handle of handles) t.match(handle, /^n_[0-9a-f]{8}\d*$/)
    })

    t.test('a registration may name its handle; a taken or reserved one is refused, and nothing is stored', async t => {
      const handle = `h_${some()}`
      t.match(await register(a, { handle }), { status: 201, body: { user: { handle } } })
      const before = await prisma.user.count()
      for (const wanted of [handle, ...someReserved]) {
        t.match(await register(b, { handle: wanted }), {
          status: 409, body: { code: 'handle_taken', message: 'Handle already taken', statusCode: 409 }
        }, wanted)
      }
      for (const wanted of malformed) {
        t.match(await register(b, { handle: wanted }), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(wanted))
      }
      t.equal(await prisma.user.count(), before)
    })

    t.test('a refused handle takes no use of an invitation code', async t => {
      const root = await a.register('root')
      await rows.role(root, 'admin')
      const { body: code } = await a.call('POST', '/api/admin/invitation-codes', { token: root.access_token, body: { uses: 1 } })
      t.match(await register(b, { handle: root.user.handle, invitation_code: code.code }), { body: { code: 'handle_taken' } })
      t.equal((await register(b, { handle: `i_${some()}`, invitation_code: code.code })).status, 201)
    })

    t.test('a handle may change twice in 30 days, by the database\'s clock', async t => {
      const ann = await a.register('ann')
      const own = ann.user.handle!
      const [one, two, three] = [`one_${some()}`, `two_${some()}`, `three_${some()}`]
      t.match(await patch(a, ann, { handle: own }), { status: 200, body: { handle: own } }, 'the same one is no change')
      t.match(await patch(a, ann, { handle: one }), { status: 200, body: { ...ann.user, handle: one } })
      t.match(await patch(b, ann, { handle: two, name: 'Anna' }), { status: 200, body: { handle: two, name: 'Anna' } })
      const refused = await patch(b, ann, { handle: three, name: 'Other' })
      t.match(refused, { status: 429, body: { code: 'rate_limited' } })
      t.ok(Math.abs(refused.body.retry_after_ms - 30 * 86_400_000) < 600_000)
      const { body } = await a.call('GET', '/api/me', { token: ann.access_token })
      t.match(body, { handle: two, name: 'Anna' }, 'nothing of it is stored')
      await prisma.$executeRaw`
        UPDATE "User" SET "handleChanges"[2] = "handleChanges"[2] - interval '30 days' WHERE id = ${ann.user.id}::uuid`
      t.match(await patch(b, ann, { handle: three }), { status: 200, body: { handle: three } })
      t.match(await patch(a, ann, { handle: own }), { status: 429 })
    })

    t.test('a handle that is taken, reserved or malformed is refused, and the user keeps theirs', async t => {
      const [ann, ben] = [await a.register('ann'), await b.register('ben')]
      for (const handle of [ben.user.handle, ...reserved]) {
        t.match(await patch(a, ann, { handle, name: 'X' }), { status: 409, body: { code: 'handle_taken' } }, `${handle}`)
      }
      for (const handle of malformed) {
        t.match(await patch(a, ann, { handle }), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(handle))
      }
      t.match(await prisma.user.findUnique({ where: { id: ann.user.id } }), { handle: ann.user.handle, name: 'ann' })
    })

    t.test('a handle that its user gave up is theirs alone, and that of an erased account is nobody\'s', async t => {
      const [ann, ben] = [await a.register(`given_${some()}`), await a.register('ben')]
      const former = ann.user.handle!
      await patch(a, ann, { handle: `g_${some()}` })
      t.match(await patch(b, ben, { handle: former }), { status: 409, body: { code: 'handle_taken' } })
      t.match(await register(b, { handle: former }), { status: 409 })
      t.not((await b.register(ann.user.name)).user.handle, former, 'nor is it made of a name')
      t.match(await patch(b, ann, { handle: former }), { status: 200, body: { handle: former } })
      t.equal((await a.call('DELETE', '/api/me', { token: ann.access_token, body: { password: ann.password } })).status, 204)
      t.match(await patch(b, ben, { handle: former }), { status: 409 })
      t.match(await prisma.user.findUnique({ where: { id: ann.user.id } }), { handle: null, searchName: null })
      const kept = JSON.stringify(await prisma.formerHandle.findMany({ where: { userId: ann.user.id } }))
      t.notMatch(kept, former, 'nothing of the erased account can be read')
    })

    for (const { title, asks } of races) {
      t.test(`of ${title} for one handle at once, exactly one succeeds`, async t => {
        for (let round = 0; round < 3; round++) {
          const handle = `race_${some()}`
          const people = await Promise.all(asks.map(() => a.register('racer')))
          const answers = await Promise.all(asks.map((ask, i) =>
            ask === 'change' ? patch(pair[i % 2]!, people[i]!, { handle }) : register(pair[i % 2]!, { handle })))
          t.same(answers.map(({ status }) => status >= 400 ? status : 200).sort(), [200, ...asks.slice(1).map(() => 409)])
          t.equal(await prisma.user.count({ where: { handle } }), 1)
        }
      })
    }

    t.test('a handle that one user gives up while another asks for it stays the first one\'s', async t => {
      for (let round = 0; round < 5; round++) {
        const [ann, ben] = [await a.register('ann'), await a.register('ben')]
        const handle = ann.user.handle!
        const [, asked] = await Promise.all([patch(a, ann, { handle: `new_${some()}` }), patch(b, ben, { handle })])
        t.equal(asked!.status, 409)
      }
    })

    t.test('an instance of the previous release registers, renames and stores accounts', async t => {
      const [id, made, guest] = [uuidv7(), uuidv7(), uuidv7()]
      const mark = some()
      await prisma.$queryRaw`SELECT code, created_at AS "createdAt" FROM parley_register(${id}::uuid, ${`${id}@example.org`},
        ${`Old ${mark}`}, 'x', NULL::bytea, 0::int, 0::int, 'general')`
      await prisma.$executeRaw`INSERT INTO "User" (id, email, name) VALUES (${made}::uuid, ${`${made}@example.org`}, ${`Old ${mark}`})`
      await prisma.$executeRaw`INSERT INTO "User" (id, name) VALUES (${guest}::uuid, 'guest-abcdef')`
      t.same([await handleOf(id), await handleOf(made), await handleOf(guest)], [`old_${mark}`, `old_${mark}2`, null])
      await prisma.$executeRaw`UPDATE "User" SET name = 'New' WHERE id = ${id}::uuid`
      t.match(await prisma.user.findUnique({ where: { id } }), { handle: `old_${mark}`, searchName: 'new' })
    })

    t.test('every reply and list that names a user has the handle, and connections learn of a change', async t => {
      const channel = `c-${some()}`
      const [ann, ben] = [await a.enter('ann', channel), await b.enter('ben', channel)]
      await a.call('POST', '/api/auth/login', { body: { email: ann.person.email, password: ann.person.password } })
      const handle = `now_${some()}`
      t.equal((await patch(a, ann.person, { handle })).body.handle, handle)
      await eventually(async () => {
        await ann.request({ type: 'signal', channel, event: 'typing' })
        return (await ben.expect('signal')).handle === handle
      })
      const about = { channel, user_id: ben.person.user.id }
      const token = ann.person.access_token
      const own = { user_id: ben.person.user.id, username: 'ben', handle: ben.person.user.handle }
      t.match((await ann.request({ type: 'user_list', channel })).users.find((user: Frame) => user.user_id === own.user_id), own)
      await ann.request({ command: 'mute_user', ...about })
      await ann.request({ command: 'add_moderator', ...about })
      for (const list of ['members', 'mutes', 'moderators']) {
        const { body } = await b.call('GET', `/api/channels/${channel}/${list}`, { token })
        t.match(body[list].find((row: Frame) => row.user_id === own.user_id), own, list)
      }
      await ann.request({ command: 'ban_user', ...about })
      t.match((await b.call('GET', `/api/channels/${channel}/bans`, { token })).body.bans, [own])
      await ann.request({ command: 'unban_user', ...about })
      await ann.request({ command: 'invite_user', ...about })
      const { body } = await b.call('GET', '/api/me/invitations', { token: ben.person.access_token })
      t.match(body.invitations, [{ invited_by: ann.person.user.id, username: 'ann', handle }])
      const other = await b.connect()
      t.match(await other.request({ type: 'authenticate', token }), { data: { username: 'ann', handle } })
    })

    t.test('frames of the first release have no handle', async t => {
      const channel = `c-${some()}`
      const ann = await a.enter('ann', channel)
      const ben = await a.enter('ben', channel)
      await ben.request({ type: 'send_message', channel, message: 'x' })
      const message = await ann.expect('message')
      t.same(Object.keys(message), ['type', 'id', 'seq', 'channel', 'user_id', 'username', 'message', 'timestamp'])
      await ann.expect('user_joined')
      t.same(Object.keys(await ann.expect('user_joined')), ['type', 'user_id', 'username', 'channel', 'timestamp'])
    })

    t.test('every command about a user takes a handle, in capitals too, over WebSocket and REST', async t => {
      const [ann, ben] = [await a.enter('ann'), await b.register('ben')]
      const id = ben.user.id
      for (const command of userActs) {
        const row = commands[command as keyof typeof commands]
        const channel = `c-${some()}`
        await ann.request({ command: 'create_channel', name: channel })
        const one = await ann.exchange({ command, channel, handle: ben.user.handle })
        t.match(one, { type: 'success', data: { user_id: id } }, command)
        const both = await ann.exchange({ command, channel, handle: ben.user.handle!.toUpperCase(), user_id: id.toUpperCase() })
        t.match(both, { type: 'success', data: { user_id: id } }, `${command}, both`)
        const { status } = await b.call(row.rest.route.split(' ')[0]!, urlOf(row.rest.route, { channel, user_id: ben.user.handle }), {
          token: ann.person.access_token, ...!row.rest.route.startsWith('DELETE') && { body: {} }
        })
        t.equal(status, row.rest.status, `${command}, REST`)
      }
    })

    t.test('a command about a user refuses an unknown handle, a malformed one, two users and nobody, in the order of [P9]', async t => {
      const [ann, ben, cid] = [await a.enter('ann'), await b.register('ben'), await b.register('cid')]
      const [own, foreign] = [`c-${some()}`, (await rows.channel()).name]
      await ann.request({ command: 'create_channel', name: own })
      const wrong: Array<[object, string]> = [
        [{ handle: 'nobody_has_this' }, 'user_not_found'],
        [{ handle: 'No One!' }, 'user_not_found'],
        [{ handle: 'ann\0' }, 'user_not_found'],
        [{ handle: 7 }, 'invalid_frame'],
        [{ handle: null }, 'user_required'],
        [{ handle: ' ' }, 'user_required'],
        [{}, 'user_required'],
        [{ handle: ben.user.handle, user_id: cid.user.id }, 'invalid_frame'],
        [{ handle: 'nobody_has_this', user_id: cid.user.id }, 'invalid_frame'],
        [{ handle: 'nobody_has_this', channel: foreign }, 'not_authorized'],
        [{ handle: 'nobody_has_this', channel: 'no-such-channel' }, 'channel_not_found']
      ]
      const before = JSON.stringify(await prisma.moderationLog.count())
      for (const command of userActs) {
        // Ten invalid frames would end a connection.
        const client = await a.login(ann.person)
        for (const [fields, code] of wrong) {
          const reply = await client.exchange({ command, channel: own, ...fields })
          t.match(reply, { type: 'error', code }, `${command} ${JSON.stringify(fields)}`)
        }
        const { route } = commands[command as keyof typeof commands].rest
        for (const key of ['nobody_has_this', 'No%20One', 'ab', '%00', uuidv7()]) {
          const { status, body } = await b.call(route.split(' ')[0]!, urlOf(route, { channel: own, user_id: key }), {
            token: ann.person.access_token, ...!route.startsWith('DELETE') && { body: {} }
          })
          t.match({ status, body }, { status: 404, body: { code: 'user_not_found' } }, `${route} ${key}`)
        }
      }
      t.equal(JSON.stringify(await prisma.moderationLog.count()), before)
    })

    t.test('a path with one\'s own handle joins and leaves, as one\'s own id does', async t => {
      const [ann, room] = [await a.register('ann'), await rows.channel()]
      const path = `/api/channels/${room.name}/members/${ann.user.handle}`
      t.match(await b.call('PUT', path, { token: ann.access_token, body: {} }), { status: 200, body: { user_id: ann.user.id } })
      t.equal(await prisma.channelUser.count({ where: { userId: ann.user.id } }), 1)
      t.equal((await b.call('DELETE', path, { token: ann.access_token })).status, 204)
      t.equal(await prisma.channelUser.count({ where: { userId: ann.user.id } }), 0)
    })
  })
}
