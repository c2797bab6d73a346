import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { createDatabase, startServer } from '../helper.ts'
import { startOperated } from '../operator/operated.ts'
import { t } from '../tap.ts'
import { backup, restore } from './run.ts'

/** Milliseconds that a backup may take on a machine that is busy with other tests. */
const DEADLINE = 100_000

t.test('[P37] a backup is made while users send, and no client is misled after it is restored', async t => {
  const { server: before, directory } = await startOperated(t)
  const env = { PARLEY_DATA_DIR: directory }
  const path = join(t.testdir(), 'backup.gz')
  const ann = await before.enter('ann', 'talk')
  const send = async (client: typeof ann) => (await client.request({ type: 'send_message', channel: 'talk', message: 'x' })).data
  const sent: Array<{ id: string, seq: number }> = [await send(ann)]
  const running = backup(env, path)
  let isRunning = true
  running.then(() => { isRunning = false })
  await eventually(async () => {
    sent.push(await send(ann))
    return !isRunning
  }, DEADLINE)
  t.match(await running, { code: 0, stderr: '', stdout: new RegExp(`^wrote \\d+ rows to ${path}\n$`) })
  t.same(sent.map(({ seq }) => seq), sent.map((_, i) => i + 1), 'the server went on meanwhile')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.notOk(existsSync(join(directory, 'snapshot')), 'the copy that the server made is gone')
  t.match(await backup(env, path), { code: 1, stdout: '', stderr: `parley: ${path} exists already\n` })
  t.match(await restore(env, path), { code: 1, stdout: '', stderr: /in use by another Parley process/ })
  const last = await send(ann)
  await before.close()

  const databaseUrl = await createDatabase(t)
  const target = { DATABASE_URL: databaseUrl }
  t.match(await restore(target, path), { code: 0, stderr: '', stdout: /^copied \d+ rows: 1 users, / })
  t.match(await restore(target, path), { code: 1, stdout: '', stderr: /the target is not empty: .+ --replace removes all that it has\n$/ })
  const after = await startServer(t, { databaseUrl, config: { limits: { enabled: false } } })
  const again = await after.login(ann.person)
  const { data: { channel_id, seq: restored } } = await again.request({ type: 'join_channel', channel: 'talk' })
  t.ok(restored < last.seq)
  for (let seq = restored; seq < last.seq;) ({ seq } = await send(again as typeof ann))
  const resume = async ({ seq, id }: { seq: number, id: string }) =>
    (await again.request({ type: 'join_channel', channel: 'talk', channel_id, since: seq, since_id: id })).data
  t.match(await resume(last), { recovered: false, seq: last.seq }, 'the entry with this number is another one now')
  t.match(await resume(sent[restored - 1]!), { recovered: true, seq: last.seq }, 'this entry was in the backup')
})
