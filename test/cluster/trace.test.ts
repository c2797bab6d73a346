import type { Frame } from '../client.ts'
import { failure, redis, startServer, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const a = await startServer(t, { config })
const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
const rows = createRows(a.database)
const root = await a.enter('root')
await rows.role(root, 'admin')

const trace = (channel: string, client = root) => client.request({ type: 'watch_trace', channel })
const traceOf = (id: string, client = root) => client.expect(frame => frame.type === 'trace' && frame.id === id)
const stepsOf = ({ steps }: Frame): string[] => steps.map(({ step }: { step: string }) => step)
const written = ['written_first', 'written_last', 'drained_last']
const committed = ['batched', 'committed']

async function say (client: { request (frame: object): Promise<Frame> }, channel: string, message = 'a secret'): Promise<Frame> {
  return (await client.request({ type: 'send_message', channel, message })).data
}

/** Opens a connection of a new admin. */
async function enterAdmin (server: Server): Promise<Awaited<ReturnType<Server['enter']>>> {
  const client = await server.enter('admin')
  await rows.role(client, 'admin')
  return client
}

t.test('[P80] a trace says when a message was where, and neither what it says nor who wrote it, also in a private channel', async t => {
  const ann = await a.enter('ann')
  await ann.request({ command: 'create_channel', name: 'den', channel_type: 'private' })
  await ann.request({ type: 'join_channel', channel: 'den' })
  const tab = await a.login(ann.person)
  await tab.request({ type: 'join_channel', channel: 'den' })
  t.match(await trace('den'), { action: 'trace_watched', data: { channel: 'den', instance: String } })
  const { id, seq } = await say(ann, 'den')
  const frame = await traceOf(id)
  t.match(frame, { channel: 'den', id, seq, subscribers: 2, batch: 1 })
  t.same(Object.keys(frame).sort(), ['batch', 'channel', 'id', 'seq', 'steps', 'subscribers', 'type'])
  t.same(stepsOf(frame), ['received', 'parsed', 'queued', ...committed, 'acked', 'published', ...written])
  const times: number[] = frame.steps.map(({ at_ms: at }: { at_ms: number }) => at)
  t.same(times, times.toSorted((x, y) => x - y))
  t.equal(times[0], 0)
  t.ok(times.at(-1)! > 0)

  const rest = await a.call('POST', '/api/channels/den/messages', { token: ann.person.access_token, body: { message: 'a secret' } })
  t.same(stepsOf(await traceOf(rest.body.id)), [...committed, 'published', ...written])
  await ann.request({ command: 'edit_message', channel: 'den', id, message: 'b' })
  const last = await say(ann, 'den')
  await traceOf(last.id)
  t.notOk((await root.settle()).some(({ type }) => type === 'trace'), 'edits are not traced')
  const { body: { log } } = await a.call('GET', '/api/admin/log?limit=1', { token: root.person.access_token })
  t.match(log, [{ action: 'trace_channel', actor_id: root.person.user.id, channel: 'den', target_id: null, reason: null }])
})

t.test('[P80] a message of another instance is traced from the bus on', async t => {
  const [ann, ben] = [await a.enter('ann', 'both'), await b.enter('ben', 'both')]
  await trace('both')
  for (let i = 0; i < 3; i++) {
    const { id } = await say(ben, 'both')
    const frame = await traceOf(id)
    t.same(stepsOf(frame), ['received_from_bus', ...written])
    t.match(frame, { subscribers: 1, batch: 1 })
    await ann.expect(({ id: other }) => other === id)
  }
  const mine = await say(ann, 'both')
  t.equal(stepsOf(await traceOf(mine.id))[0], 'received')
  const theirs = await say(ben, 'both')
  t.equal(stepsOf(await traceOf(theirs.id))[0], 'received_from_bus')
})

t.test('[P80] [P47] a direct channel cannot be traced; another channel takes the place of the one before', async t => {
  const [ann, ben] = [await a.enter('ann', 'one', 'two'), await a.enter('ben')]
  const { data: { channel: { name } } } = await ann.request({ type: 'open_direct', user_id: ben.person.user.id })
  await ann.request({ type: 'join_channel', channel: name })
  t.same(await root.exchange({ type: 'watch_trace', channel: name }), failure('channel_not_found'))
  await trace('one')
  await traceOf((await say(ann, 'one')).id)
  await trace('two')
  const before = await say(ann, 'one')
  await traceOf((await say(ann, 'two')).id)
  t.notOk((await root.settle()).some(({ id, type }) => type === 'trace' && id === before.id))
})

t.test('[P80] only admins trace, only channels that there are, and only a few connections of an instance at once', async t => {
  const ann = await a.enter('ann', 'busy')
  const logged = async () => (await a.call('GET', '/api/admin/log?limit=100', { token: root.person.access_token })).body.log.length
  const before = await logged()
  for (const role of ['user', 'moderator'] as const) {
    await rows.role(ann, role)
    for (const channel of ['busy', 'no-such']) t.same(await ann.exchange({ type: 'watch_trace', channel }), failure('not_authorized'), role)
  }
  t.same(await root.exchange({ type: 'watch_trace', channel: 'no-such' }), failure('channel_not_found'))
  t.match(await root.exchange({ type: 'watch_trace' }), failure('channel_required'))
  const admins = [root, await enterAdmin(a), await enterAdmin(a), await enterAdmin(a)]
  for (const admin of admins) await trace('busy', admin)
  const count = await logged()
  t.equal(count, before + admins.length)
  const late = await enterAdmin(a)
  t.match(await late.exchange({ type: 'watch_trace', channel: 'busy' }), { code: 'busy', retry_after_ms: Number })
  t.equal(await logged(), count, 'a refused trace has no line')
  t.match(await trace('busy'), { action: 'trace_watched' }, 'a further minute')
  const { id } = await say(ann, 'busy')
  for (const admin of admins) await traceOf(id, admin)
  await admins[1]!.close()
  await trace('busy', late)
  await traceOf((await say(ann, 'busy')).id, late)
})

t.test('[P80] a trace ends when the user is no admin any more, and with the connection', async t => {
  const ann = await b.enter('ann', 'end')
  const [eve, witness] = [await enterAdmin(b), await enterAdmin(b)]
  for (const admin of [eve, witness]) await trace('end', admin)
  await rows.role(eve, 'user')
  // One message a second, because only 20 a second are traced.
  await witness.request({ type: 'watch_stats' })
  let isTold = true
  while (isTold) {
    await witness.expect('stats')
    const { id } = await say(ann, 'end')
    await traceOf(id, witness)
    isTold = (await eve.settle()).some(frame => frame.id === id)
  }
  await witness.close()
  await say(ann, 'end')
  t.match(await eve.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
  t.same(b.lines.filter(line => JSON.parse(line).level >= 50), [])
})

t.test('[P80] of a busy channel at most 20 messages a second are traced', async t => {
  const ann = await a.enter('ann', 'rush')
  await trace('rush')
  const began = performance.now()
  const sent = await Promise.all(Array.from({ length: 100 }, () => say(ann, 'rush')))
  await traceOf(sent.toSorted((x, y) => x.seq - y.seq)[0]!.id)
  const seconds = (performance.now() - began) / 1000
  const traced = (await root.settle()).filter(({ type, channel }) => type === 'trace' && channel === 'rush').length + 1
  t.ok(traced <= 20 * Math.ceil(seconds + 1), `${traced} in ${seconds} s`)
  t.ok(traced < 100 || seconds > 1)
})
