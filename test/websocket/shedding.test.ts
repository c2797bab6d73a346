import { eventually } from '../eventually.ts'
import { startServer, type Server } from '../helper.ts'
import { t, type Test } from '../tap.ts'
import { handshake, openSocket } from './raw.ts'

const upgrade = (t: Test, { port }: Server) => openSocket(t, port, handshake()).answered()

/** Stops the event loop for this many milliseconds, without work for a processor. */
function block (ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

t.test('[P5] while the event loop lags, new connections get 503, open ones and REST are served; then new ones open again', async t => {
  const server = await startServer(t, { config: { limits: { event_loop_delay: 100 } } })
  // On a busy machine the event loop may already lag when the server starts.
  await eventually(async () => (await upgrade(t, server)).status === 101)
  const ann = await server.enter('ann', 'general')
  const busy = setInterval(block, 0, 200)
  t.teardown(() => clearInterval(busy))
  const { head } = await eventually(async () => {
    const answer = await upgrade(t, server)
    return answer.status === 503 && answer
  })
  t.match(head, /^retry-after: [1-9]\d*\r$/im)
  await ann.request({ type: 'send_message', channel: 'general', message: 'still here' })
  t.equal((await server.call('GET', '/api/me', { token: ann.person.access_token })).status, 200)
  clearInterval(busy)
  await eventually(async () => (await upgrade(t, server)).status === 101)
})

t.test('an event_loop_delay of 0 sets no limit', async t => {
  const server = await startServer(t, { config: { limits: { event_loop_delay: 0 } } })
  for (let i = 0; i < 3; i++) {
    block(1200)
    t.equal((await upgrade(t, server)).status, 101)
  }
})

t.test('[P5] while the heap exceeds heap_percent, a new connection gets 503', async t => {
  const server = await startServer(t, { config: { limits: { heap_percent: 1 } } })
  await eventually(async () => (await upgrade(t, server)).status === 503)
  t.equal((await server.call('GET', '/readyz')).status, 200)
})
