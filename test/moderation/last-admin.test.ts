import { startServer, type Person } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t, { config: { limits: { enabled: false } } })
const { prisma } = server.database
const rows = createRows(server.database)

async function admin (name: string): Promise<Person> {
  const person = await server.register(name)
  await rows.role(person, 'admin')
  return person
}

const ends = {
  demoting: { method: 'PATCH', body: { role: 'user' } },
  disabling: { method: 'PATCH', body: { disabled: true } },
  erasing: { method: 'DELETE', body: undefined }
}

const end = (actor: Person, target: Person, { method, body }: typeof ends[keyof typeof ends]) =>
  server.call(method, `/api/admin/users/${target.user.id}`, { token: actor.access_token, body })

const eraseOneself = ({ access_token: token, password }: Person) => server.call('DELETE', '/api/me', { token, body: { password } })

const enabledAdmins = () => prisma.user.findMany({ where: { role: 'admin', disabledAt: null }, select: { id: true } })

/** Demotes all admins, so that each test has only the admins that it makes itself. */
const noAdmins = () => prisma.user.updateMany({ where: { role: 'admin' }, data: { role: 'user' } })

for (const [title, way] of Object.entries(ends)) {
  t.test(`[P55] when two admins try ${title} each other at once, one admin remains, in each of 20 rounds`, async t => {
    for (let round = 0; round < 20; round++) {
      await noAdmins()
      const [ann, bob] = [await admin('ann'), await admin('bob')]
      const replies = await Promise.all([end(ann, bob, way), end(bob, ann, way)])
      t.equal(replies.filter(({ status }) => status < 300).length, 1, `round ${round}: one request succeeds`)
      const refusal = replies.find(({ status }) => status >= 300)!.body.code
      t.ok(['last_admin', 'authentication_failed', 'not_authorized'].includes(refusal), `round ${round}: ${refusal}`)
      t.equal((await enabledAdmins()).length, 1, `round ${round}: one admin remains`)
    }
  })
}

t.test('[P55] when three admins erase their own accounts at once, one of them remains', async t => {
  await noAdmins()
  const replies = await Promise.all((await Promise.all(['ann', 'bob', 'cid'].map(admin))).map(eraseOneself))
  t.same(replies.map(({ status }) => status).sort(), [204, 204, 409])
  t.equal((await enabledAdmins()).length, 1)
})

t.test('[P55] the last enabled admin can erase their account only once there is another enabled admin', async t => {
  await noAdmins()
  const ann = await admin('ann')
  const disabled = await admin('bob')
  await prisma.user.update({ where: { id: disabled.user.id }, data: { disabledAt: new Date() } })
  t.match(await eraseOneself(ann), { status: 409, body: { code: 'last_admin' } })
  t.equal((await server.call('GET', '/api/me', { token: ann.access_token })).status, 200, 'the account still works')
  await admin('cid')
  t.equal((await eraseOneself(ann)).status, 204)
})

t.test('[P55] a user of role moderator who is banned from a channel may not moderate there until the ban ends', async t => {
  const [mod, ann] = [await server.register('mod'), await server.register('ann')]
  await rows.role(mod, 'moderator')
  const channel = await rows.channel('moderator')
  for (const person of [mod, ann]) await rows.ban(channel, person)
  const unban = () => server.call('DELETE', `/api/channels/${channel.name}/bans/${ann.user.id}`, { token: mod.access_token })
  t.match(await unban(), { status: 403, body: { code: 'not_authorized' } })
  await prisma.channelBan.updateMany({ where: { userId: mod.user.id }, data: { expiresAt: new Date(0) } })
  t.equal((await unban()).status, 204)
})
