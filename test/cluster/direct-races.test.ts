import pg from 'pg'
import { eventually } from '../eventually.ts'
import { failure, type Person } from '../helper.ts'
import type { Client, Frame } from '../client.ts'
import { countLockWaiters } from '../lock-waiters.ts'
import { t } from '../tap.ts'
import { settings } from './settings.ts'

const [a, b] = await settings['two instances on PostgreSQL']!(t)
const { prisma } = a.database
const rival = new pg.Client(a.databaseUrl)
await rival.connect()
t.teardown(() => rival.end())

const idOf = ({ person }: { person: Person }): string => person.user.id
const open = (client: Client, peer: string): Promise<Frame> => client.exchange({ type: 'open_direct', user_id: peer })

/** Locks rows, lets requests wait for them, then makes a change and commits it. @returns the replies to the requests. */
async function overtake (lock: [string, string[]], requests: Array<() => Promise<Frame>>, change?: [string, string[]]): Promise<Frame[]> {
  await rival.query('BEGIN')
  try {
    await rival.query(...lock)
    const replies = Promise.all(requests.map(request => request()))
    await eventually(async () => await countLockWaiters(rival) === requests.length)
    if (change) await rival.query(...change)
    await rival.query('COMMIT')
    return await replies
  } catch (error) {
    await rival.query('ROLLBACK')
    throw error
  }
}

/**
 * What commits while ben's message to the direct channel waits for the channel's lock: SQL with the ids of ann, ben and the channel.
 * `reply`: the answer to the message. `members`: who is a member then.
 */
const changes: Array<{ title: string, sql: string, reply: Partial<Frame>, members: Array<'ann' | 'ben'> }> = [
  {
    title: 'nothing',
    sql: 'SELECT $1::uuid, $2::uuid, $3::uuid',
    reply: { action: 'message_sent' },
    members: ['ann', 'ben']
  },
  {
    title: 'ann blocks the sender',
    sql: 'INSERT INTO "UserBlock" ("userId", "blockedId") SELECT $1, $2 FROM "Channel" WHERE id = $3',
    reply: failure('blocked'),
    members: ['ann', 'ben']
  },
  {
    title: 'ann leaves',
    sql: 'SELECT parley_end_membership($3, $1), $2::uuid',
    reply: { action: 'message_sent' },
    members: ['ann', 'ben']
  },
  {
    title: 'ann leaves and blocks the sender',
    sql: 'WITH x AS (INSERT INTO "UserBlock" ("userId", "blockedId") VALUES ($1, $2)) SELECT parley_end_membership($3, $1)',
    reply: failure('blocked'),
    members: ['ben']
  },
  {
    title: 'ann’s account is erased',
    sql: 'SELECT parley_erase_user(NULL, $1, gen_random_uuid()), $2::uuid, $3::uuid',
    reply: failure('user_not_found'),
    members: ['ben']
  },
  {
    title: 'the sender leaves in another tab',
    sql: 'SELECT parley_end_membership($3, $2), $1::uuid',
    reply: failure('not_in_channel'),
    members: ['ann']
  }
]

for (const { title, sql, reply, members } of changes) {
  t.test(`[P47] [P48] [P32] while a message waits for the direct channel, ${title}: it is judged by that`, async t => {
    const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
    const { data: { channel: { id, name } } } = await open(ann, idOf(ben))
    await ben.request({ type: 'join_channel', channel: name })
    const send = (): Promise<Frame> => ben.exchange({ type: 'send_message', channel: name, message: 'hello' })
    const lock: [string, string[]] = ['SELECT FROM "Channel" WHERE id = $1 FOR UPDATE', [id]]
    const [answer] = await overtake(lock, [send], [sql, [idOf(ann), idOf(ben), id]])
    t.match(answer, reply)
    const rows = await prisma.channelUser.findMany({ where: { channelId: id } })
    t.same(rows.map(({ userId }) => userId).sort(), members.map(name => idOf(name === 'ann' ? ann : ben)).sort())
    const isSent = reply.action === 'message_sent'
    t.match(await prisma.channel.findUnique({ where: { id } }), { userCount: members.length, lastSeq: isSent ? 1n : 0n })
    if (isSent) t.match(await ann.expect('direct_opened'), { channel: { name } })
  })
}

t.test('[P48] [P32] a block waits for a message that was judged before it', async t => {
  const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
  const { data: { channel: { id } } } = await open(ann, idOf(ben))
  // What parley_publish holds from its judgement until its commit.
  const lock: [string, string[]] = ['SELECT FROM "Channel" WHERE id = $1 FOR NO KEY UPDATE', [id]]
  const [answer] = await overtake(lock, [() => ann.exchange({ type: 'block_user', user_id: idOf(ben) })])
  t.match(answer, { action: 'user_blocked' })
})

t.test('[P47] both open at once at two instances: the second waits, and both get the one channel', async t => {
  const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
  const ids = [idOf(ann), idOf(ben)]
  const lock: [string, string[]] = ['SELECT FROM "User" WHERE id IN ($1, $2) ORDER BY id FOR NO KEY UPDATE', ids]
  const replies = await overtake(lock, [() => open(ann, idOf(ben)), () => open(ben, idOf(ann))])
  t.equal(new Set(replies.map(({ data }) => data.channel.id)).size, 1)
  t.equal(await prisma.directPeer.count({ where: { userId: { in: ids } } }), 2)
})
