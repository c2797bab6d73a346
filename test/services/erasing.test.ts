import { randomUUID } from 'node:crypto'
import { settings } from '../cluster/settings.ts'
import type { Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import type { Person, Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

/** Words that only the person who is erased uses for themselves, or writes in what has to go with them. */
const words = () => Object.fromEntries(['former', 'name', 'device', 'reported', 'data', 'reason'].map(what =>
  [what, `${what}-${randomUUID()}`])) as Record<'former' | 'name' | 'device' | 'reported' | 'data' | 'reason', string>

/** Returns those of the texts that a row of any table contains, with the table. */
async function findAnywhere ({ database: { prisma } }: Server, texts: string[]): Promise<string[]> {
  const tables = await prisma.$queryRaw<Array<{ name: string }>>`
    SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
  const found: string[] = []
  for (const { name } of tables) {
    const rows = await prisma.$queryRawUnsafe<Array<{ text: string }>>(`
      SELECT text FROM unnest($1::text[]) text WHERE EXISTS (SELECT FROM ${name} x WHERE x::text ILIKE '%' || text || '%')`, texts)
    found.push(...rows.map(({ text }) => `${name}: ${text}`))
  }
  return found
}

for (const [setting, start] of Object.entries(settings)) {
  const ways: Record<string, (server: Server, boss: Person, person: Person) => Promise<{ status: number }>> = {
    'erase themselves': (server, _, { access_token: token, password }) => server.call('DELETE', '/api/me', { token, body: { password } }),
    'are erased by an admin': (server, { access_token: token }, { user }) =>
      server.call('DELETE', `/api/admin/users/${user.id}`, { token })
  }
  t.test(`[P49] erasing on ${setting}`, async t => {
    const [a, b] = await start(t, { limits: { enabled: false } })
    const { prisma } = a.database
    const rows = createRows(a.database)

    for (const [way, erase] of Object.entries(ways)) {
      t.test(`of people who ${way}, no table has email, names, device or the texts of reports, and what the docs name remains`, async t => {
        const word = words()
        const [boss, other] = [await a.enter('boss'), await b.enter('other')]
        await rows.role(boss, 'admin')
        const email = `${randomUUID()}@example.org`
        const password = 'a password of theirs'
        const headers = { 'user-agent': word.device }
        const { body: registered } = await a.call('POST', '/api/auth/register', { body: { email, name: word.former, password }, headers })
        const person: Person = { ...registered, email, password }
        const client = await a.login(person)
        const { access_token: token, user: { id } } = person
        await a.call('POST', '/api/auth/login', { body: { email, password }, headers })
        await a.call('PATCH', '/api/me', { token, body: { name: word.name } })

        const channel = `erased-${randomUUID()}`
        await client.request({ command: 'create_channel', name: channel, slow_mode: 1 })
        await client.request({ type: 'join_channel', channel })
        await other.request({ type: 'join_channel', channel })
        const send = async (by: typeof client, fields: object): Promise<string> =>
          (await by.request({ type: 'send_message', channel, ...fields })).data.id
        const report = (by: typeof client, message: string, reason: string): Promise<Frame> =>
          by.request({ command: 'report_message', channel, id: message, reason })
        const bad = await send(client, { message: word.reported, data: word.data })
        const kept = await send(client, { message: 'kept' })
        const theirs = await send(other, { message: 'theirs' })
        await report(other, bad, 'about them')
        await report(client, theirs, word.reason)
        await client.request({ command: 'edit_message', channel, id: bad, message: 'harmless', data: null })
        // The index of search follows the edit a little later, if it had the message already.
        await eventually(async () => !(await findAnywhere(a, [word.reported])).some(line => line.startsWith('"SearchEntry"')))
        const elsewhere = await rows.channel('private')
        const about = { channel: elsewhere.name, user_id: id }
        await boss.request({ command: 'invite_user', ...about })
        await boss.request({ command: 'ban_user', ...about, reason: 'noise' })
        await boss.request({ command: 'mute_user', ...about })
        await client.request({ command: 'mute_user', channel, user_id: other.person.user.id })

        const secrets = [email, ...Object.values(word)]
        const before = new Set((await findAnywhere(a, secrets)).map(line => line.slice(line.indexOf(': ') + 2)))
        t.same(secrets.filter(text => !before.has(text) && text !== word.former), [], 'all of it is in the database before')
        t.equal((await erase(b, boss.person, person)).status, 204)
        t.same(await findAnywhere(a, secrets), [])

        const user = await prisma.user.findUnique({ where: { id } })
        t.match(user, { email: null, name: 'deleted user', passwordHash: null, disabledAt: Date })
        const count = { where: { userId: id } }
        t.same([
          await prisma.channelUser.count(count), await prisma.channelInvite.count(count), await prisma.channelModerator.count(count),
          await prisma.refreshToken.count({ where: { userId: id, revokedAt: null, usedAt: null } })
        ], [0, 0, 0, 0])
        t.match(await prisma.message.findUnique({ where: { id: kept } }), { content: 'kept', userId: id })
        t.match(await prisma.channelBan.findMany(count), [{ reason: 'noise' }])
        t.equal(await prisma.channelMute.count(count), 1)
        t.equal(await prisma.channelMute.count({ where: { mutedBy: id } }), 1)
        t.match(await prisma.channel.findUnique({ where: { name: channel } }), { createdBy: id })
        t.equal(await prisma.moderationLog.count({ where: { targetId: id, action: { in: ['ban_user', 'erase_user'] } } }), 2)

        const { body } = await b.call('GET', '/api/admin/reports?status=open&limit=2', { token: boss.person.access_token })
        t.match(body.reports, [
          { message: 'theirs', reason: null, reported_by: id },
          { message: null, username: 'deleted user', user_id: id, reason: 'about them' }
        ])
        t.notOk('data' in body.reports[1])
      })
    }

    t.test('two people who have reported each other can be erased at once', async t => {
      for (let round = 0; round < 3; round++) {
        const channel = `mutual-${randomUUID()}`
        const pair = [await a.enter('ann', channel), await b.enter('ben', channel)]
        const sent: string[] = []
        for (const client of pair) {
          for (let i = 0; i < 2; i++) sent.push((await client.request({ type: 'send_message', channel, message: 'rude' })).data.id)
        }
        for (const [i, id] of sent.entries()) {
          await pair[i < 2 ? 1 : 0]!.request({ command: 'report_message', channel, id, reason: 'rude' })
        }
        const replies = await Promise.all(pair.map(({ person: { access_token: token, password } }, i) =>
          (i === 0 ? a : b).call('DELETE', '/api/me', { token, body: { password } })))
        t.same(replies.map(({ status }) => status), [204, 204])
        t.equal(await prisma.report.count({ where: { channelName: channel, content: null, reason: null } }), 4)
      }
    })
  })
}
