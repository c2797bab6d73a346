import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { root } from '../../scripts/root.ts'
import { createJudge, type Document } from '../asyncapi-judge.ts'
import { startServer, type Scope } from '../helper.ts'
import { t } from '../tap.ts'
import { smoke } from './run.ts'

type Frame = Record<string, unknown>
interface Recorded { from: 'client' | 'server', frame: Frame }

const document = JSON.parse(readFileSync(join(root, 'docs/asyncapi.json'), 'utf8')) as Document

/** A proxy of a server that records the frames of each connection. */
async function startRecorder (scope: Scope, target: number) {
  const connections: Recorded[][] = []
  const proxy = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming
    incoming.pipe(request({ host: '127.0.0.1', port: target, method, path: url, headers }, answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    }))
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  new WebSocketServer({ server: proxy }).on('connection', async (client, { url }) => {
    const frames: Recorded[] = []
    connections.push(frames)
    const server = new WebSocket(`ws://127.0.0.1:${target}${url}`)
    const isOpen = once(server, 'open')
    client.on('message', async data => {
      await isOpen
      frames.push({ from: 'client', frame: JSON.parse(String(data)) as Frame })
      server.send(String(data))
    })
    server.on('message', data => {
      frames.push({ from: 'server', frame: JSON.parse(String(data)) as Frame })
      client.send(String(data))
    })
    client.on('close', () => server.close())
  })
  scope.teardown(() => proxy.close())
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, connections }
}

t.test('every frame of `npm run smoke` is what docs/asyncapi.json says, in both directions', async t => {
  const { port } = await startServer(t)
  const { url, connections } = await startRecorder(t, port)
  t.match(await smoke({}, url), { code: 0, stdout: /All is well/ })
  t.equal(connections.length, 2)
  const { connection } = createJudge(document)
  const operations: string[] = []
  for (const recorded of connections) {
    const judge = connection()
    for (const { from, frame } of recorded) {
      const operation = from === 'client' ? judge.fromClient(frame) : judge.fromServer(frame)
      t.type(operation, 'string', `${from}: ${JSON.stringify(frame)}`)
      operations.push(`${from} ${operation}`)
    }
    t.equal(judge.pending, 0, 'each request has its reply')
  }
  for (const name of ['authenticate', 'join_channel', 'send_message']) {
    t.ok(operations.includes(`client ${name}`) && operations.includes(`server ${name}`), name)
  }
  for (const name of ['notice_welcome', 'notice_user_joined', 'notice_message']) t.ok(operations.includes(`server ${name}`), name)

  // The same frames with a field less, or with one of another type, are refused, so the judge is no mere formality.
  for (const { from, frame } of connections.flat().filter(({ frame }) => frame.ref === undefined)) {
    for (const name of Object.keys(frame)) {
      const judge = connection()
      const { [name]: _, ...rest } = frame
      t.equal(judge.fromServer({ ...frame, [name]: { unlike: 'it' } }), undefined, `${from}: ${String(frame.type)} with another ${name}`)
      t.equal(judge.fromServer(rest), undefined, `${from}: ${String(frame.type)} without ${name}`)
    }
  }
})
