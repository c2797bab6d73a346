import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openSource } from '../../scripts/transfer.ts'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createDataDirectory } from '../embedded.ts'
import { createDatabase, startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { copy } from './run.ts'

t.test('[P37] after npm run db:copy out of the embedded database, clients resume and logins go on as if nothing had been', async t => {
  const before = await startServer(t, { embedded: true })
  const ann = await before.enter('ann', 'talk')
  const send = async (client: typeof ann, message: string) =>
    (await client.request({ type: 'send_message', channel: 'talk', message, client_id: message })).data
  await send(ann, 'one')
  const second = await send(ann, 'two')
  const { channel_id } = (await before.call('GET', '/api/channels/talk/messages', { token: ann.person.access_token })).body
  const directory = before.config.database.data_dir
  const databaseUrl = await createDatabase(t)
  const source = openSource(loadConfig({ PARLEY_DATA_DIR: directory }).config.database)
  await t.rejects(source, /in use by another Parley process/, 'what a running server stores meanwhile would be lost')
  await before.close()

  const copied = await copy({ PARLEY_DATA_DIR: directory }, '--to', databaseUrl)
  const summary = /^copied \d+ rows: 1 users, 2 channels, 2 messages and .+\nnow start the server with DATABASE_URL /
  t.match(copied, { code: 0, stderr: '', stdout: summary })
  t.notOk(copied.stdout.includes(new URL(databaseUrl).port), 'the URL, which may have a password, is not printed')

  const after = await startServer(t, { databaseUrl })
  const again = await after.login(ann.person)
  const joined = await again.request({ type: 'join_channel', channel: 'talk', channel_id, since: 1, since_id: second.id })
  t.match(joined.data, { seq: 2, recovered: false }, 'an entry with another id is not taken for the one that the client has')
  const resumed = await again.request({ type: 'join_channel', channel: 'talk', channel_id, since: 2, since_id: second.id })
  t.match(resumed.data, { seq: 2, last_id: second.id, recovered: true, messages: [] })
  t.match(await send(again as typeof ann, 'two'), { seq: 2, duplicate: true })
  t.match(await send(again as typeof ann, 'three'), { seq: 3 })
  const refreshed = await after.call('POST', '/api/auth/refresh', { body: { refresh_token: ann.person.refresh_token } })
  t.equal(refreshed.status, 200)

  const back = await createDataDirectory(t)
  t.match(await copy({ DATABASE_URL: databaseUrl }, '--to', back), {
    code: 0, stdout: new RegExp(`now start the server with PARLEY_DATA_DIR=${back} and without DATABASE_URL\n$`)
  })
  const database = await openDatabase({ ...loadConfig({}).config.database, data_dir: back })
  t.teardown(database.close)
  t.match(await database.prisma.channel.findMany({ where: { name: 'talk' } }), [{ lastSeq: 3n }])
})

t.test('wrong arguments and a missing database are reported in one line, and nothing is created', async t => {
  const directory = join(t.testdir(), 'none')
  const env = { PARLEY_DATA_DIR: directory }
  t.match(await copy(env), { code: 1, stdout: '', stderr: /^parley: usage: npm run db:copy/ })
  t.match(await copy(env, '--to', 'mysql://localhost/x'), { code: 1, stderr: /^parley: --to needs a URL/ })
  await t.rejects(openSource(loadConfig(env).config.database), { message: /^there is no database in/ })
  t.notOk(existsSync(directory))
})
