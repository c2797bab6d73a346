import { maintain } from '../maintain.ts'
import { age } from '../scripts/pruned.ts'
import { t } from '../tap.ts'
import { settings } from './settings.ts'

const ROUNDS = 15
const MESSAGES = 10

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P50] [P30] on ${name}, a resume that meets the removal of old entries is whole or refused`, async t => {
    const [a, b] = await start(t, { limits: { enabled: false } })
    const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
    const outcomes = { whole: 0, refused: 0 }
    for (let round = 0; round < ROUNDS; round++) {
      const channel = `round-${round}`
      const { data: { channel_id } } = await ann.request({ type: 'join_channel', channel })
      await ann.request({ command: 'update_channel', channel, retention: 1 })
      await Promise.all(Array.from({ length: MESSAGES }, (_, i) => ann.request({ type: 'send_message', channel, message: `${i}` })))
      await age(a.database, channel_id, MESSAGES / 2)
      const since = [0, MESSAGES / 2 - 1, MESSAGES / 2][round % 3]!
      // The removal begins a little earlier or later in each round.
      for (let i = 0; i < round % 5; i++) await ben.request({ type: 'heartbeat' })
      const [{ data }] = await Promise.all([
        ben.request({ type: 'join_channel', channel, channel_id, since }),
        maintain(t, a.database)
      ])
      const seqs = data.messages.map(({ seq }: { seq: number }) => seq)
      t.same(seqs, data.recovered ? Array.from({ length: MESSAGES - since }, (_, i) => since + 1 + i) : [], `${channel}, since ${since}`)
      t.ok(data.recovered || since < MESSAGES / 2, 'nothing that is kept is refused')
      outcomes[data.recovered ? 'whole' : 'refused']++
      const { data: { seq } } = await ann.request({ type: 'send_message', channel, message: 'after' })
      t.match(await ben.expect(frame => frame.type === 'message' && frame.channel === channel && frame.seq > MESSAGES), { seq })
    }
    t.ok(outcomes.whole > 0, JSON.stringify(outcomes))
  })
}
