import { makeCommunity } from '../../scripts/demo/community.ts'
import { startLiving } from '../../scripts/demo/living.ts'
import type { Account, Channel, Message } from '../../scripts/demo/model.ts'
import { logins, PASSWORD } from '../../scripts/demo/people.ts'
import { createRandom } from '../../scripts/demo/random.ts'
import { startDemo } from '../../scripts/demo/server.ts'
import { createCall } from '../../src/testing/rest.ts'
import { createClients, type Client, type Frame } from '../client.ts'
import { checkDocumented } from '../documented.ts'
import { createDataDirectory } from '../embedded.ts'
import { eventually } from '../eventually.ts'
import { judgeFrames } from '../frames.ts'
import { t } from '../tap.ts'

const options = { seed: 5, now: Date.now() - 60_000, size: { people: 20, channels: 5, messages: 500 } }
const community = makeCommunity(options)

judgeFrames(t)
const directory = await createDataDirectory(t)
const demo = await startDemo({ ...options, directory, isStill: true })
t.teardown(demo.close)
const call = createCall(demo.url, checkDocumented)
const clients = createClients(t, Number(new URL(demo.url).port))

/** Tokens by email, because each login costs as much as a password should. */
const tokens = new Map<string, string>()

async function tokenOf (email: string): Promise<string> {
  const known = tokens.get(email)
  if (known !== undefined) return known
  const { body } = await call('POST', '/api/auth/login', { body: { email, password: PASSWORD } })
  tokens.set(email, body.access_token)
  return body.access_token
}

async function connect (email: string): Promise<Client> {
  const client = await clients.connect()
  await client.request({ type: 'authenticate', token: await tokenOf(email) })
  return client
}

/** The member who speaks for the tests where anybody would do. */
function memberOf ({ members }: Channel): Account {
  return members[0]!.account
}

t.test('the admin, the moderator and the member log in with the password of the demo', async t => {
  const roles = await Promise.all(logins.map(async ({ email }) =>
    (await call('POST', '/api/auth/login', { body: { email, password: PASSWORD } })).body.user.role))
  t.same(roles, ['admin', 'moderator', 'user'])
})

t.test('[P27] the entries of each channel are numbered from 1 without a gap, and are what the seed says', async t => {
  for (const channel of community.channels) {
    const client = await connect(memberOf(channel).email)
    const { data } = await client.request({ type: 'join_channel', channel: channel.name, channel_id: channel.id, since: 0 })
    t.match(data, { recovered: true, seq: channel.entries.length }, channel.name)
    t.same(data.messages.map(({ seq }: Frame) => seq), channel.entries.map(({ seq }) => seq))
    await client.close()
  }
})

t.test('[P34] [P39] [P40] REST shows the history of each channel as it was made', async t => {
  for (const channel of community.channels) {
    const token = await tokenOf(memberOf(channel).email)
    const shown: Frame[] = []
    for (let before: number | undefined; before !== 1;) {
      const query = before === undefined ? '' : `&before=${before}`
      const { body } = await call('GET', `/api/channels/${channel.name}/messages?limit=100${query}`, { token })
      if (body.messages.length === 0) break
      shown.unshift(...body.messages)
      before = shown[0]!.seq
    }
    const made = channel.entries.filter((entry): entry is Message => entry.kind === 'message')
    t.same(shown.map(({ seq, id, user_id, message, timestamp, reply_to }) => [seq, id, user_id, message, Date.parse(timestamp), reply_to]),
      made.map(({ seq, id, by, text, at, deletedAt, replyTo }) => [seq, id, by.id, deletedAt === undefined ? text : null, at, replyTo?.id]))
    const reactions = channel.entries.filter(entry =>
      entry.kind === 'reaction' && entry.added && entry.current && entry.message.deletedAt === undefined)
    const counts = shown.flatMap(({ reactions }) => reactions ?? []).map(({ count }) => count)
    t.equal(counts.reduce((sum, count) => sum + count, 0), reactions.length, channel.name)
  }
})

t.test('[P19] [P47] nobody but its members sees a private channel, and nobody else a direct one', async t => {
  const hidden = community.channels.filter(({ type }) => type === 'private' || type === 'direct')
  t.ok(hidden.some(({ type }) => type === 'private'))
  for (const { name, members, invitations } of hidden) {
    const insiders = [...members, ...invitations].map(({ account }) => account)
    const outsider = community.accounts.find(account => account.role === 'user' && !insiders.includes(account))!
    const token = await tokenOf(outsider.email)
    t.equal((await call('GET', `/api/channels/${name}`, { token })).status, 404)
    const { body } = await call('GET', '/api/channels?limit=100', { token })
    t.notOk(body.channels.some((channel: { name: string }) => channel.name === name))
  }
})

t.test('[P42] [P49] [P57] after the quarrel one person is banned for a day, the log says why, and one report is open', async t => {
  const token = await tokenOf('moderator@demo.example')
  const { body: { bans } } = await call('GET', '/api/channels/code-review/bans', { token })
  t.match(bans, [{ reason: /after a warning/ }])
  const banned = community.accounts.find(({ id }) => id === bans[0].user_id)!
  const client = await connect(banned.email)
  t.match(await client.exchange({ type: 'join_channel', channel: 'code-review' }), { code: 'banned' })
  await client.close()
  const { body: { log } } = await call('GET', '/api/channels/code-review/log', { token })
  const acts = log.map(({ action }: { action: string }) => action)
  for (const act of ['mute_user', 'delete_message', 'ban_user', 'settle_report_removed', 'settle_report_sanctioned']) {
    t.ok(acts.includes(act), act)
  }
  const { body: { reports } } = await call('GET', '/api/admin/reports?limit=100', { token: await tokenOf('admin@demo.example') })
  t.equal(reports.filter(({ resolution }: { resolution: string | null }) => resolution === null).length, 1)
})

t.test('[P70] search finds what was said, newest first', async t => {
  const token = await tokenOf('member@demo.example')
  const found = await eventually(async () => {
    const { body } = await call('GET', '/api/messages?query=formatter&limit=100', { token })
    return body.messages.length >= 2 && body.messages
  }, 60_000)
  t.same(found.map(({ seq }: Frame) => seq), found.map(({ seq }: Frame) => seq).toSorted((a: number, b: number) => b - a))
})

t.test('scripted people are there, type and talk, and answer whoever writes to them', async t => {
  const faults: unknown[] = []
  const { accounts, channels } = community
  const living = startLiving({
    url: demo.url, people: accounts, random: createRandom(1), pause: [20, 50], onFault: error => { faults.push(error) }
  })
  t.teardown(living.stop)
  const visitor = await connect('member@demo.example')
  for (const { name } of channels.filter(({ type }) => type === 'public')) await visitor.request({ type: 'join_channel', channel: name })
  const scripted = accounts.filter(({ isScripted }) => isScripted)
  t.match(await visitor.expect('signal', 60_000), { event: 'typing' })
  const { user_id: speaker } = await visitor.expect('message', 60_000)
  const person = scripted.find(({ id }) => id === speaker)
  t.ok(person, 'a scripted person speaks')

  const { data: { channel: { name } } } = await visitor.request({ type: 'open_direct', user_id: speaker })
  await visitor.request({ type: 'join_channel', channel: name })
  await visitor.request({ type: 'send_message', channel: name, message: 'Hello!' })
  const isAnswer = ({ type, channel, user_id: author }: Frame): boolean => type === 'message' && channel === name && author === speaker
  t.match((await visitor.expect(isAnswer, 60_000)).message, /\S/)
  await living.stop()
  t.same(faults, [])
})

t.test('a demo that is started again goes on with what it has, and not while another process uses its database', async t => {
  t.ok(demo.isNew)
  await t.rejects(startDemo({ ...options, directory, isStill: true }), /in use by another Parley process/)
  await demo.close()
  const again = await startDemo({ ...options, directory, isStill: true })
  t.teardown(again.close)
  t.notOk(again.isNew)
})
