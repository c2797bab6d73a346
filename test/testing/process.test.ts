import { startParley } from '../../src/testing/index.ts'
import { createDataDirectory } from '../embedded.ts'
import { t } from '../tap.ts'

t.test('a server in another process obeys the same switches, and only its own clock is moved', async t => {
  const lines: string[] = []
  const parley = await startParley({
    inProcess: false,
    config: { authentication: { token_expiry: 60 }, database: { data_dir: await createDataDirectory(t) } },
    onLine: line => { lines.push(line) }
  })
  t.teardown(parley.close)
  const [ann] = await parley.users('ann')
  const raw = await ann.connect()
  await raw.request({ type: 'join_channel', channel: 'talk' })
  await parley.stopDatabase()
  t.match(await raw.exchange({ type: 'send_message', channel: 'talk', message: 'lost' }), { code: 'unavailable' })
  await parley.startDatabase()
  const before = Date.now()
  await parley.expireTokens()
  t.ok(Date.now() - before < 60_000)
  t.equal((await raw.closed()).code, 4401)
  await (await ann.connect()).request({ type: 'join_channel', channel: 'talk' })
  t.ok(lines.some(line => JSON.parse(line).msg === 'connection closed'))
  await parley.close()
  await t.rejects(fetch(parley.url), 'nothing listens any more')
})

t.test('a server in another process that cannot start rejects with its reason', async t => {
  await t.rejects(startParley({ inProcess: false, config: { authentication: { token_expiry: 0 } } }), /AUTHENTICATION_TOKEN_EXPIRY must be/)
})
