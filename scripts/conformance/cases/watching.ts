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
  }
]
