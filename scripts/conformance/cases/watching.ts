import { say, type Case } from '../stage.ts'
import { check, same } from '../verdict.ts'

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
      check(connections[0]?.user_id === person.id && connections[0].state === 'ok', 'the user, in the state ok', connections)
      await rest.must('DELETE', `/api/admin/connections/${connections[0].id}`, { token })
      await connection.closes(4503, 'when an admin closes the connection')
      await rest.mustNot('DELETE', `/api/admin/connections/${connections[0].id.replace(/.$/, 'x')}`, 'connection_not_found', { token })
    }
  },
  {
    rule: 'P80',
    title: 'an admin sees when a message was where, and not what it says',
    async run ({ ann, people, connect, channel }) {
      const admin = people.admin()
      const [host, watcher] = await Promise.all([connect(ann), connect(admin)])
      const { name } = await channel(ann, host, [], { channel_type: 'private' })
      await host.mustNot({ type: 'watch_trace', channel: name }, 'not_authorized')
      await watcher.mustNot({ type: 'watch_trace', channel: `${name}-none` }, 'channel_not_found')
      await watcher.must({ type: 'watch_trace', channel: name })
      const { id, seq } = await say(host, name, 'where am I?')
      const trace = await watcher.expect('the trace of the message', frame => frame.type === 'trace' && frame.id === id)
      same([trace.channel, trace.seq], [name, seq], 'channel and seq of the trace:')
      const steps: Array<{ step: string, at_ms: number }> = trace.steps
      check(steps[0]?.at_ms === 0 && steps.some(({ step }) => step === 'committed'), 'steps, the first at 0, with committed', steps)
      check(!JSON.stringify(trace).includes('where am I?'), 'no text in the trace', trace)
    }
  }
]
