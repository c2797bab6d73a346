import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'

// Hashing is meant to be slow, and the machine may be busy with other tests.
t.setTimeout(120_000)

t.test('100 logins at once: all are let in, and sockets are answered meanwhile [G8]', async t => {
  // Heartbeats go as fast as they are answered: faster than the limits allow.
  const server = await startServer(t, { config: { limits: { enabled: false } } })
  const control = await createControl(server)
  const person = await server.register('ann')
  const client = await server.enter('ben')
  const body = { email: person.email, password: person.password }
  const login = async (): Promise<number> => (await server.call('POST', '/api/auth/login', { body })).status
  let pending = true
  const logins = Promise.all(Array.from({ length: 100 }, login)).finally(() => { pending = false })
  const began = performance.now()
  const gaps: number[] = []
  while (pending) {
    const asked = performance.now()
    await client.request({ type: 'heartbeat' })
    gaps.push(performance.now() - asked)
  }
  const seconds = (performance.now() - began) / 1000
  t.same(await logins, Array(100).fill(200), 'none is refused, none fails')
  const slowest = Math.max(...gaps)
  t.ok(gaps.length > 10 * seconds, `${gaps.length} heartbeats in ${seconds.toFixed(1)} s, the slowest ${slowest.toFixed()} ms`)
  await control(t, 'after the logins')
})
