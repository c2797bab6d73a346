import { randomUUID } from 'node:crypto'
import type { Client, Frame } from '../client.ts'
import type { Server } from '../helper.ts'

/** A new name that no channel has. */
export const some = (): string => `c-${randomUUID()}`

export function createScene (server: Server) {
  return {
    /** Creates a channel of ann's. ben joins it if it is public, and has a second connection, `tab`, which does not join. */
    async arrange (type: 'public' | 'private' = 'public') {
      const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
      const name = some()
      await ann.request({ type, command: 'create_channel', name })
      await ann.request({ type: 'join_channel', channel: name })
      if (type === 'public') await ben.request({ type: 'join_channel', channel: name })
      const tab = await server.login(ben.person)
      const id = ben.person.user.id
      /** Sends a command of ann's about ben in this channel. */
      const command = (command: string, fields: object = {}): Promise<Frame> =>
        ann.exchange({ type: 'command', command, channel: name, user_id: id, ...fields })
      return { ann, ben, tab, name, id, command }
    },

    /** The entries of this channel in the moderation log, oldest first. */
    log: (name: string) => server.database.prisma.moderationLog.findMany({
      where: { channelName: name }, orderBy: { id: 'asc' }, select: { actorId: true, action: true, targetId: true, reason: true }
    })
  }
}

/** Waits for a notice on each of these connections, checks that all are equal, and returns it without its time. */
export async function notice (clients: Client[], type: string): Promise<object> {
  const frames = await Promise.all(clients.map(client => client.expect(type)))
  if (new Set(frames.map(frame => JSON.stringify(frame))).size > 1) throw new Error('not the same notice')
  const { timestamp, ...rest } = frames[0]!
  if (new Date(timestamp).toISOString() !== timestamp) throw new Error(`timestamp ${timestamp}`)
  return rest
}
