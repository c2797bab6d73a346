import type { Case } from '../stage.ts'
import { check } from '../verdict.ts'

const isStats = ({ type }: { type: string }): boolean => type === 'stats'

/** What admins see live. */
export const cases: Case[] = [
  {
    rule: 'P77',
    title: 'an admin reads the numbers of the instance that answers, and nobody else does',
    async run ({ ann, people, rest }) {
      await rest.mustNot('GET', '/api/admin/stats', 'not_authorized', { token: ann.token })
      const stats = await rest.must('GET', '/api/admin/stats', { token: people.admin().token })
      check(stats.connections?.open <= stats.connections?.max, 'connections {open, max}', stats)
      check(typeof stats.instance === 'string' && stats.window_ms > 0, 'instance and window_ms', stats)
    }
  },
  {
    rule: 'P78',
    title: 'an admin\'s connection gets stats from when it watches until it unwatches, and nobody else\'s does',
    async run ({ ann, people, connect }) {
      const other = await connect(ann)
      await other.mustNot({ type: 'watch_stats' }, 'not_authorized')
      const connection = await connect(people.admin())
      const { instance } = await connection.must({ type: 'watch_stats' })
      await connection.expect('the numbers of the instance', frame => isStats(frame) && frame.instance === instance)
      await connection.must({ type: 'unwatch_stats' })
      await other.none('stats on the connection of a user', isStats)
    }
  },
  {
    rule: 'P79',
    title: 'an admin finds a user\'s connection, and closes it with 4503',
    async run ({ ann, people, rest, connect }) {
      const { token } = people.admin()
      const person = await people.register('hal')
      const connection = await connect(person)
      await rest.mustNot('GET', '/api/admin/connections', 'not_authorized', { token: ann.token })
      const { connections } = await rest.must('GET', `/api/admin/connections?user_id=${person.id}`, { token })
      check(connections[0]?.user_id === person.id && connections[0].state === 'ok', 'the connection of the user, in the state ok', connections)
      await rest.must('DELETE', `/api/admin/connections/${connections[0].id}`, { token })
      await connection.closes(4503, 'when an admin closes the connection')
      await rest.mustNot('DELETE', `/api/admin/connections/${connections[0].id.replace(/.$/, 'x')}`, 'connection_not_found', { token })
    }
  }
]
