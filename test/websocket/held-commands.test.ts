import { table } from '../../src/requests/table.ts'
import type { Client, Frame } from '../client.ts'
import { startServer } from '../helper.ts'
import { changesOf, commandWrites, createRival, createScenes, gone, member, type Refusals, type Scene } from '../rights.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t, { config: { limits: { enabled: false } } })
const root = await server.register('root')
await createRows(server.database).role(root, 'admin')
const arrange = createScenes(server)
const { overtake } = await createRival(t, server)

interface Write { frame (scene: Scene): object, refusals: Refusals }

const writes: Record<string, Write> = {
  join_channel: {
    frame: ({ other }) => ({ type: 'join_channel', channel: other }), refusals: { ...gone, demoted: 'not_authorized', banned: 'banned' }
  },
  leave_channel: { frame: ({ room }) => ({ type: 'leave_channel', channel: room }), refusals: gone },
  send_message: { frame: ({ room }) => ({ type: 'send_message', channel: room, message: 'x' }), refusals: member },
  open_direct: { frame: ({ target }) => ({ type: 'open_direct', user_id: target }), refusals: gone },
  block_user: { frame: ({ target }) => ({ type: 'block_user', user_id: target }), refusals: gone },
  unblock_user: { frame: ({ target }) => ({ type: 'unblock_user', user_id: target }), refusals: gone },
  ...Object.fromEntries(commandWrites.map(({ name, fields, refusals }) =>
    [name, { frame: (scene: Scene) => ({ command: name, ...fields(scene) }), refusals }]))
}

t.test('[P55] the table of writes has every command and every request whose REST route is not a GET, except signals and marks', async t => {
  // Signals, and marks of subscribers, are judged without the database, so they wait for no lock [P42] [P43].
  const writing = Object.entries(table).filter(([name, row]) =>
    !['signal', 'mark_read'].includes(name) && (row.kind === 'command' || (row.route && !row.route.startsWith('GET '))))
  t.same(Object.keys(writes).sort(), writing.map(([name]) => name).sort())
})

for (const [name, { frame, refusals }] of Object.entries(writes)) {
  t.test(`[P55] ${name}: a change of rights that commits while the write waits for its locks binds the write`, async t => {
    for (const [what, code] of [['none', undefined] as const, ...changesOf(refusals)]) {
      const scene = await arrange(what === 'none' ? 'demoted' : what)
      const client = await server.login(scene.actor)
      await client.request({ type: 'join_channel', channel: scene.room })
      const ask = () => answerOf(client, frame(scene))
      if (what === 'none') {
        t.equal((await ask()).type, 'success', 'allowed without a change')
      } else {
        const { answer, wrote } = await overtake(what, scene, ask)
        t.equal(answer.code, code, what)
        t.notOk(wrote, `${what}: nothing is written`)
      }
      client.socket.terminate()
    }
  })
}

/**
 * Resolves with the reply. The reconciler may notice that a user or login has ended before the write gets its locks, and close the
 * connection. This counts as `authentication_failed`.
 */
async function answerOf (client: Client, frame: object): Promise<Frame> {
  try {
    return await client.exchange(frame)
  } catch (error) {
    const { code } = await client.closed()
    if (code === 4503 || code === 4504) return { type: 'error', code: 'authentication_failed' }
    throw error
  }
}

t.test('[P55] none of the requests above caused an internal error', async t => {
  t.same(server.lines.filter(line => JSON.parse(line).level >= 50), [])
})
