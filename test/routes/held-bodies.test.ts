import { request } from 'node:http'
import { startServer } from '../helper.ts'
import { changesOf, createRival, createScenes, type Change, type Scene } from '../rights.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { routesOf } from './routes.ts'
import { toRequest, writes, withMail } from './writes.ts'

const server = await startServer(t, { config: withMail })
const root = await server.register('root')
await createRows(server.database).role(root, 'admin')
const asRoot = { token: root.access_token }
const arrange = createScenes(server)
const { watch } = await createRival(t, server)

async function change (what: Change, { actor, room, other }: Scene): Promise<void> {
  const { user: { id }, refresh_token } = actor
  const calls: Record<Change, Array<[string, string, object?]>> = {
    disabled: [['PATCH', `/api/admin/users/${id}`, { disabled: true }]],
    erased: [['DELETE', `/api/admin/users/${id}`]],
    'logged out': [['POST', '/api/auth/logout', { refresh_token }]],
    demoted: [['PATCH', `/api/admin/users/${id}`, { role: 'user' }]],
    'no moderator any more': [['DELETE', `/api/channels/${room}/moderators/${id}`]],
    kicked: [['DELETE', `/api/channels/${room}/members/${id}`]],
    banned: [room, other].map(name => ['PUT', `/api/channels/${name}/bans/${id}`, {}])
  }
  for (const [method, path, body] of calls[what]) {
    const { status } = await server.call(method, path, { ...asRoot, ...body && { body } })
    if (status >= 300) throw new Error(`${method} ${path}: ${status}`)
  }
}

/**
 * Sends a request except for the last byte of its body, and waits until the server has handled the head.
 * @returns a function that sends the last byte and resolves with the answer.
 */
async function hold ({ method, path, body, token }: ReturnType<typeof toRequest>) {
  const text = JSON.stringify(body)
  const held = request({
    port: server.port,
    method,
    path,
    agent: false,
    headers: {
      expect: '100-continue',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...token !== undefined && { authorization: `Bearer ${token}` }
    }
  })
  const answered = new Promise<{ status: number, code: string | undefined }>((resolve, reject) => {
    held.on('error', reject).on('response', async response => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const reply = Buffer.concat(chunks).toString()
      resolve({ status: response.statusCode!, code: reply === '' ? undefined : JSON.parse(reply).code })
    })
  })
  await new Promise(resolve => held.on('continue', resolve).flushHeaders())
  held.write(text.slice(0, -1))
  // A later request with the same token makes the same queries. Its answer shows that the queries for the head have ended.
  if (token !== undefined) await server.call('GET', '/api/me', { token })
  return async () => {
    held.end(text.slice(-1))
    return answered
  }
}

t.test('[P55] the table of writes covers every route of the application that is neither GET nor HEAD', async t => {
  const writing = routesOf(server.app).filter(({ method }) => !['GET', 'HEAD', 'OPTIONS'].includes(method))
  const routes = writing.map(({ method, url }) => `${method} ${url}`)
  t.ok(routes.length > 20)
  t.same([...new Set(writes.map(({ route }) => route))].sort(), routes.sort())
})

for (const write of writes) {
  t.test(`[P55] ${write.route}: a user who loses the right while the body is held back is refused, and nothing is written`, async t => {
    const finish = await hold(toRequest(write, await arrange('demoted')))
    const reply = await finish()
    t.ok(reply.status < 300, `allowed without a change: ${reply.status} ${reply.code}`)
    for (const [what, code] of changesOf(write.refusals)) {
      const scene = await arrange(what)
      const finish = await hold(toRequest(write, scene))
      await change(what, scene)
      const hasWritten = await watch()
      t.equal((await finish()).code, code, what)
      t.notOk(await hasWritten(), `${what}: nothing is written`)
    }
  })
}

t.test('[P55] none of the requests above caused an internal error', async t => {
  t.same(server.lines.filter(line => JSON.parse(line).level >= 50), [])
})
