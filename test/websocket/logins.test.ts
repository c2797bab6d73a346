import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'

t.test('100 logins at once all succeed, and WebSocket connections are answered meanwhile [G8]', async t => {
  // The test sends each heartbeat as soon as the one before is answered, which is faster than the limits allow.
  const server = await startServer(t, { config: { limits: { enabled: false } } })
  const control = await createControl(server)
  const person = await server.register('ann')
  const client = await server.enter('ben')
  const body = { email: person.email, password: person.password }
  const login = async (): Promise<number> => (await server.call('POST', '/api/auth/login', { body })).status
  let pending = true
  const logins = Promise.all(Array.from({ length: 100 }, login)).finally(() => { pending = false })
  let answered = 0
  while (pending) {
    await client.request({ type: 'heartbeat' })
    answered++
  }
  t.same(await logins, Array(100).fill(200), 'every login succeeds')
  t.ok(answered >= 100, `${answered} heartbeats were answered, one after another, while 100 passwords were hashed`)
  await control(t, 'after the logins')
})
