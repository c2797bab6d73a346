import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { openSocket } from '../websocket/raw.ts'

const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'

t.test('an idle connection is closed after keep_alive_timeout', async t => {
  const server = await startServer(t, { config: { server: { keep_alive_timeout: 1 } } })
  const idle = openSocket(t, server.port, REQUEST)
  t.match((await idle.answered()).head, /^keep-alive: timeout=1\r$/im)
  await idle.ended()
})

t.test('an idle connection outlives the time that a request has for its headers', async t => {
  const server = await startServer(t, { config: { server: { keep_alive_timeout: 620 } } })
  server.app.server.headersTimeout = 100
  const idle = openSocket(t, server.port, REQUEST)
  t.match((await idle.answered()).head, /^keep-alive: timeout=620\r$/im)
  // The server ends this connection when it looks for connections that have passed their times.
  await openSocket(t, server.port, 'GET').ended()
  idle.socket.write(REQUEST)
  await eventually(() => idle.received().match(/HTTP\/1\.1 200 OK/g)?.length === 2)
})
