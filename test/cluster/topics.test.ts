import { Redis } from 'ioredis'
import { eventually } from '../eventually.ts'
import { redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const a = await startServer(t, { config })
const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
const client = new Redis(config.redis.url!)
t.teardown(() => client.disconnect())

/** Topics that every instance subscribes to. */
const OF_ALL = /^(beat:.*|hello|watchers)$/

/** Number of subscribed instances for each other topic that has any. */
async function listeners (): Promise<Record<string, number>> {
  const prefix = config.redis.prefix!
  const names = (await client.pubsub('CHANNELS', `${prefix}*`)) as string[]
  const topics = names.filter(name => !OF_ALL.test(name.slice(prefix.length)))
  const counts = topics.length > 0 ? await client.pubsub('NUMSUB', ...topics) as Array<string | number> : []
  return Object.fromEntries(topics.map((name, i) => [name.slice(prefix.length), Number(counts[2 * i + 1])]))
}

t.test('an instance subscribes only to the topics of its own connections', async t => {
  t.same(await listeners(), {}, 'without connections there is no subscription')
  const ann = await a.enter('ann', 'one')
  const ben = await b.enter('ben', 'one')
  const tab = await a.login(ann.person)
  const { data: { channel_id: one } } = await tab.request({ type: 'join_channel', channel: 'one' })
  const { data: { channel_id: two } } = await ben.request({ type: 'join_channel', channel: 'two' })
  const [annId, benId] = [ann, ben].map(({ person }) => person.user.id)
  const same = (wanted: Record<string, number>) => async () => {
    const found = await listeners()
    return JSON.stringify(Object.entries(found).sort()) === JSON.stringify(Object.entries(wanted).sort())
  }
  const annsOnA = { [`user:${annId}`]: 1 }
  const bensOnB = { [`user:${benId}`]: 1, [`channel:${two}`]: 1 }
  await eventually(same({ broadcast: 2, [`channel:${one}`]: 2, ...annsOnA, ...bensOnB }))

  await ann.close()
  await ben.request({ type: 'leave_channel', channel: 'one' })
  await eventually(same({ broadcast: 2, [`channel:${one}`]: 1, ...annsOnA, ...bensOnB }))
  await tab.close()
  await eventually(same({ broadcast: 1, ...bensOnB }))
  await ben.close()
  await eventually(same({}))
  t.pass('no subscription is left')
})
