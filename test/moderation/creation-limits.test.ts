import type { Client, Frame } from '../client.ts'
import { createDatabase, failure, redis, startServer, type Person, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { some } from './scene.ts'

/** The three ways to create a channel. Each resolves with the error code, or undefined if the channel is created. */
function makers (server: Server, person: Client, { access_token: token }: Person) {
  return {
    command: async (name = some()): Promise<string | undefined> => (await person.exchange({ command: 'create_channel', name })).code,
    rest: async (name = some()): Promise<string | undefined> => {
      const { status, body } = await server.call('POST', '/api/channels', { token, body: { name } })
      return status === 201 ? undefined : body.code
    },
    join: async (name = some()): Promise<string | undefined> => (await person.exchange({ type: 'join_channel', channel: name })).code
  }
}

const leave = (person: Client, channel: string): Promise<Frame> => person.exchange({ type: 'leave_channel', channel })

t.test('[P58] at most max_created_per_user channels of one creator exist, however they are created and left, also for admins', async t => {
  const server = await startServer(t, { config: { channels: { max_created_per_user: 3 } } })
  for (const role of ['user', 'admin'] as const) {
    const ann = await server.enter('ann')
    await server.database.prisma.user.update({ where: { id: ann.person.user.id }, data: { role } })
    const make = makers(server, ann, ann.person)
    const names = [some(), some(), some()]
    t.same([await make.command(names[0]), await make.rest(names[1]), await make.join(names[2])], [undefined, undefined, undefined])
    for (const name of names) t.match(await leave(ann, name), { action: 'channel_left' })
    t.same([await make.command(), await make.rest(), await make.join()], Array(3).fill('too_many_channels'), role)
    t.equal(await make.join('general'), undefined, 'an existing channel may be joined')
    t.equal(await server.database.prisma.channel.count({ where: { createdBy: ann.person.user.id } }), 3)

    t.match(await ann.exchange({ command: 'delete_channel', channel: names[0] }), { action: 'channel_deleted' })
    t.equal(await make.join(), undefined, 'deleting a channel makes room')
    t.equal(await make.rest(), 'too_many_channels')
  }
})

t.test('[P58] channel creations per minute are limited over all ways together; deleting and leaving channels give none back', async t => {
  const server = await startServer(t, { config: { limits: { user_channels_created: 6 } } })
  const ann = await server.enter('ann')
  const make = makers(server, ann, ann.person)
  for (const way of ['command', 'rest', 'join'] as const) {
    for (let n = 0; n < 2; n++) {
      const name = some()
      t.equal(await make[way](name), undefined, way)
      await ann.request({ command: 'delete_channel', channel: name })
    }
  }
  for (const frame of [{ command: 'create_channel', name: some() }, { type: 'join_channel', channel: some() }]) {
    const { retry_after_ms: wait, ...refused } = await ann.exchange(frame)
    t.same(refused, failure('rate_limited'))
    t.ok(wait > 0 && wait <= 10_000, `${wait}`)
  }
  const { status, body, headers } = await server.call('POST', '/api/channels', { token: ann.person.access_token, body: { name: some() } })
  t.match({ status, body }, { status: 429, body: { code: 'rate_limited' } })
  t.ok(Number(headers.get('retry-after')) > 0, 'with Retry-After')
  t.equal(await server.database.prisma.channel.count(), 1, 'refused requests create nothing')
  t.equal(await make.join('general'), undefined, 'an existing channel may be joined')
  const ben = await server.enter('ben')
  t.equal(await makers(server, ben, ben.person).command(), undefined, 'each user has their own limit')

  await server.database.prisma.$executeRaw`UPDATE "User" SET "creationsRefilledAt" = "creationsRefilledAt" - interval '10 seconds'`
  t.same([await make.rest(), await make.join()], [undefined, 'rate_limited'], 'one more after a sixth of a minute')
  await server.database.prisma.$executeRaw`UPDATE "User" SET "creationsRefilledAt" = now() - interval '1 day'`
  const codes = []
  for (let n = 0; n < 7; n++) codes.push(await make.join())
  t.same(codes, [...Array(6).fill(undefined), 'rate_limited'], 'never more at once than a minute allows, even after a day')
})

t.test('[P58] both limits hold exactly for requests of many connections at two instances at once', async t => {
  const databaseUrl = await createDatabase(t)
  for (const [config, code] of [
    [{ channels: { max_created_per_user: 5 } }, 'too_many_channels'], [{ limits: { user_channels_created: 5 } }, 'rate_limited']
  ] as const) {
    const both = { databaseUrl, config: { ...config, redis: redis() } }
    const servers = [await startServer(t, both), await startServer(t, both)]
    const ann = await servers[0]!.enter('ann')
    const clients = await Promise.all(Array.from({ length: 6 }, (_, n) => servers[n % 2]!.login(ann.person)))
    const codes = await Promise.all(clients.flatMap((client, n) => {
      const make = makers(servers[n % 2]!, client, ann.person)
      return [make.command(), make.rest(), make.join()]
    }))
    t.same(codes.filter(Boolean), Array(13).fill(code))
    t.equal(await servers[0]!.database.prisma.channel.count({ where: { createdBy: ann.person.user.id } }), 5)
  }
})

t.test('[P58] a cap of 0 and limits that are switched off allow any number of channels', async t => {
  const server = await startServer(t, {
    config: { channels: { max_created_per_user: 0, max_channels_per_user: 0 }, limits: { enabled: false } }
  })
  const ann = await server.enter('ann')
  const make = makers(server, ann, ann.person)
  const codes = await Promise.all(Array.from({ length: 110 }, () => make.rest()))
  t.same(codes.filter(Boolean), [])
})
