import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createClients } from '../client.ts'
import { createDataDirectory } from '../embedded.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { fillDisk, mountDisk } from './disk.ts'
import { startProcess } from './process.ts'

t.test('[P26] a full disk of the embedded database causes one log line, /readyz 503 and no false ack, and service resumes', async t => {
  const disk = mountDisk(t, 160)
  if (disk === undefined) return t.pass('mounting a file system is not permitted here')
  const server = await startProcess(t, { env: { PARLEY_DATA_DIR: await createDataDirectory(t, disk), LIMITS_ENABLED: 'false' } })
  const origin = `http://127.0.0.1:${server.port}`
  const headers = { 'content-type': 'application/json' }
  const registration = await fetch(`${origin}/api/auth/register`, {
    method: 'POST', headers, body: JSON.stringify({ email: 'ann@example.org', name: 'ann', password: 'correct horse' })
  })
  const { access_token: token } = await registration.json() as { access_token: string }
  const [ann, ben] = await Promise.all([0, 1].map(async () => {
    const client = await createClients(t, server.port).connect()
    await client.request({ type: 'authenticate', token })
    await client.request({ type: 'join_channel', channel: 'room' })
    return client
  }))
  const acked: string[] = []
  async function send (message: string): Promise<string | undefined> {
    const { code } = await ann!.exchange({ type: 'send_message', channel: 'room', message })
    if (code === undefined) acked.push(message)
    return code
  }
  const post = () => fetch(`${origin}/api/channels/room/messages`, {
    method: 'POST', headers: { ...headers, authorization: `Bearer ${token}` }, body: '{"message":"by REST"}'
  })
  const ready = async () => {
    const response = await fetch(`${origin}/readyz`)
    return { http: response.status, ...await response.json() as object }
  }

  t.equal(await send('before'), undefined)
  const filler = join(disk, 'filler')
  fillDisk(filler)
  for (let i = 0; i < 30; i++) t.equal(await send(`full ${i}`), 'unavailable')
  for (let i = 0; i < 3; i++) t.equal((await post()).status, 503)
  t.match(await ready(), { http: 503, database: 'full' })
  const history = await fetch(`${origin}/api/channels/room/messages`, { headers: { authorization: `Bearer ${token}` } })
  t.equal(history.status, 200, 'stored messages can still be read')
  t.equal(server.output().match(/"level":[45]0/g)?.length, 1, server.output())
  t.match(server.output(), /the disk of the embedded database is full/)

  rmSync(filler)
  await eventually(async () => await send('after') === undefined)
  t.match(await ready(), { http: 200, database: 'up' })
  for (const message of acked) t.equal((await ben!.expect('message')).message, message, 'the clients are open and get all acked messages')
  t.match(server.output().match(/"level":[45]0/g), { length: 1 })
})
