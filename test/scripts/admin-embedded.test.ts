import { statSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'
import { askOwner } from '../../src/operator/client.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createClients } from '../client.ts'
import { createDataDirectory } from '../embedded.ts'
import { startProcess } from '../faults/process.ts'
import { t } from '../tap.ts'
import { admin } from './run.ts'

t.test('[P15] on the embedded database the command works while the server runs, through its socket, and after it', async t => {
  const directory = await createDataDirectory(t)
  const env = { PARLEY_DATA_DIR: directory }
  const server = await startProcess(t, { env: { ...env, PUBLIC_URL: 'https://chat.example.org' } })
  t.equal(statSync(join(directory, 'parley.sock')).mode & 0o777, 0o600, 'nobody else may open the socket')
  const registered = await fetch(`http://127.0.0.1:${server.port}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ann@example.org', name: 'Ann', password: 'correct horse' })
  })
  const { access_token: token } = await registered.json() as { access_token: string }
  const ann = await createClients(t, server.port).connect()
  await ann.request({ type: 'authenticate', token })

  const row = (role: string, state: string) => ({ code: 0, stdout: `ann@example.org  ${role}  ${state}  Ann\n`, stderr: '' })
  t.same(await admin(env, 'promote', 'ann@example.org', 'moderator'), row('moderator', 'enabled'))
  const printed: string[] = []
  const ask = (...args: string[]) => askOwner(directory, { command: 'admin', args }, text => printed.push(text))
  await ask('reset', 'ann@example.org')
  t.match(printed, [/^https:\/\/chat\.example\.org\/reset#code=/], 'the link has the address of the server, not of the script')
  await t.rejects(ask('disable', 'bob@example.org'), { message: 'no account has the email bob@example.org' })
  await ask('disable', 'ann@example.org')
  t.match(await ann.closed(), { code: 4503 })

  server.signal('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
  t.same(await admin(env, 'enable', 'ann@example.org'), row('moderator', 'enabled'))
})

t.test('a process that has the embedded database open and takes no commands, such as another script, is reported in one line', async t => {
  const directory = await createDataDirectory(t)
  const database = await openDatabase({ ...loadConfig({}).config.database, data_dir: directory })
  t.teardown(() => database.close())
  const busy = `${directory}: in use by another Parley process, which takes no commands now: try again, or stop it`
  await t.rejects(askOwner(directory, { command: 'admin', args: ['list'] }, () => {}), { message: busy })
})
