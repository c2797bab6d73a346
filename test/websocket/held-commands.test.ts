import { randomUUID } from 'node:crypto'
import { commands, table, type CommandName, type RequestName } from '../../src/requests/table.ts'
import type { Client, Frame } from '../client.ts'
import { startServer } from '../helper.ts'
import { admin, changesOf, createRival, createScenes, gone, member, moderator, type Refusals, type Scene } from '../rights.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t, { config: { limits: { enabled: false } } })
const root = await server.register('root')
await createRows(server.database).role(root, 'admin')
const arrange = createScenes(server)
const { overtake } = await createRival(t, server)

type Write = [frame: (scene: Scene) => object, refusals: Refusals]
const ofTarget = ({ room, target }: Scene): object => ({ channel: room, user_id: target })
const ofMessage = ({ room, message }: Scene): object => ({ channel: room, id: message })

const writes: Record<CommandName | Exclude<RequestName, 'authenticate' | 'heartbeat' | 'channel_list' | 'user_list'>, Write> = {
  join_channel: [({ other }) => ({ channel: other }), { ...gone, demoted: 'not_authorized', banned: 'banned' }],
  leave_channel: [({ room }) => ({ channel: room }), gone],
  send_message: [({ room }) => ({ channel: room, message: 'x' }), member],
  create_channel: [() => ({ name: `admin-${randomUUID()}`, channel_type: 'admin' }), admin],
  delete_channel: [({ room }) => ({ channel: room }), admin],
  edit_message: [scene => ({ ...ofMessage(scene), message: 'y' }), { ...member, demoted: 'not_authorized' }],
  delete_message: [ofMessage, { ...gone, demoted: 'not_authorized', banned: 'banned' }],
  decline_invitation: [({ other }) => ({ channel: other }), gone],
  invite_user: [ofTarget, moderator],
  kick_user: [ofTarget, moderator],
  ban_user: [ofTarget, moderator],
  unban_user: [ofTarget, moderator],
  mute_user: [ofTarget, moderator],
  unmute_user: [ofTarget, moderator],
  add_moderator: [ofTarget, admin],
  remove_moderator: [ofTarget, admin]
}

t.test('[P55] the table of writes has every command and every request but those that only read', async t => {
  const reading = ['authenticate', 'heartbeat', 'channel_list', 'user_list']
  t.same(Object.keys(writes).sort(), Object.keys(table).filter(name => !reading.includes(name)).sort())
})

for (const [name, [fields, refusals]] of Object.entries(writes)) {
  t.test(`[P55] ${name}: a change that commits while the write waits for its locks binds it`, async t => {
    for (const [what, code] of [['none', undefined] as const, ...changesOf(refusals)]) {
      const scene = await arrange(what === 'none' ? 'demoted' : what)
      const client = await server.login(scene.actor)
      await client.request({ type: 'join_channel', channel: scene.room })
      const ask = () => answerOf(client, { ...name in commands ? { command: name } : { type: name }, ...fields(scene) })
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

/** The reply, or what the end of the connection says: the reconciler may find a user or login gone before the write has its locks. */
async function answerOf (client: Client, frame: object): Promise<Frame> {
  try {
    return await client.exchange(frame)
  } catch (error) {
    const { code } = await client.closed()
    if (code === 4503 || code === 4504) return { type: 'error', code: 'authentication_failed' }
    throw error
  }
}

t.test('[P55] none of it was a fault of ours', async t => {
  t.same(server.lines.filter(line => JSON.parse(line).level >= 50), [])
})
