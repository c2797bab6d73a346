import type { Client, Frame } from '../client.ts'
import type { Person, Server } from '../helper.ts'
import { some } from './scene.ts'

export type Someone = Client & { person: Person }

export const idOf = ({ person }: Someone): string => person.user.id

export function createReportScene (server: Server) {
  const call = (by: Someone, method: string, path: string, body?: object) =>
    server.call(method, path, { token: by.person.access_token, ...body && { body } })

  return {
    /** Makes a REST request of this user. */
    call,

    /** Makes a public channel of ann's in which cat is a moderator and ben has sent a message, which dan may report. */
    async arrange (fields: object = { message: 'rude' }) {
      const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
      const [cat, dan] = [await server.enter('cat'), await server.enter('dan')]
      const channel = some()
      await ann.request({ command: 'create_channel', name: channel })
      for (const member of [ben, dan]) await member.request({ type: 'join_channel', channel })
      await ann.request({ command: 'add_moderator', channel, user_id: idOf(cat) })
      const { id, timestamp } = (await ben.request({ type: 'send_message', channel, ...fields })).data
      const at = `/api/channels/${channel}`
      const report = (by: Someone, reason?: string, message = id): Promise<Frame> =>
        by.exchange({ command: 'report_message', channel, id: message, ...reason !== undefined && { reason } })
      const list = async (by: Someone, query = ''): Promise<Frame[]> => (await call(by, 'GET', `${at}/reports${query}`)).body.reports
      const settle = (by: Someone, reportId: string, resolution: string) =>
        call(by, 'PATCH', `${at}/reports/${reportId}`, { resolution })
      return { ann, ben, cat, dan, channel, id, timestamp, at, report, list, settle }
    }
  }
}
