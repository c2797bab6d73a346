import type { Frame } from '../connection.ts'
import type { Person } from '../people.ts'
import type { Case, Stage } from '../stage.ts'
import { check, Withheld } from '../verdict.ts'

/** Most channels that a case makes to find a limit. By default, a user has 50 memberships and 100 channels, and makes 60 a minute. */
const MOST = 110

/** The caps of memberships and of new channels, found by a user of their own who makes channels until they are met. */
export const cases: Case[] = [
  {
    rule: 'P21',
    title: 'a membership beyond the cap is too_many_channels',
    async run (stage) {
      const refused = await fill(stage, await stage.people.register('cap'), [])
      check(refused.code === 'too_many_channels', 'too_many_channels', refused)
    }
  },
  {
    rule: 'P58',
    title: 'new channels are limited, also for a user who leaves them',
    async run (stage) {
      const refused = await fill(stage, await stage.people.register('cap'), ['leave_channel'])
      const isLimit = refused.code === 'too_many_channels' || (refused.code === 'rate_limited' && refused.retry_after_ms > 0)
      check(isLimit, 'too_many_channels, or rate_limited with retry_after_ms', refused)
    }
  }
]

/** Makes channels until one is refused, and has the user make these requests about each. The channels are deleted at the end. */
async function fill ({ connect, name }: Stage, person: Person, then: string[]): Promise<Frame> {
  const connection = await connect(person)
  for (let made = 0; made < MOST; made += 10) {
    const names = Array.from({ length: 10 }, () => name(person))
    const replies = await Promise.all(names.map(channel => connection.once({ command: 'create_channel', name: channel })))
    const refused = replies.find(({ type }) => type === 'error')
    if (refused) return refused
    for (const type of then) await Promise.all(names.map(channel => connection.must({ type, channel })))
  }
  throw new Withheld('not seen', `no limit was met within ${MOST} channels`)
}
