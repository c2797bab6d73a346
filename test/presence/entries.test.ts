import { createEntries } from '../../src/presence/entries.ts'
import { eventually } from '../eventually.ts'
import { t, type Test } from '../tap.ts'

const channel = { id: 'c1', name: 'general' }
const ann = { user_id: 'u1', username: 'ann' }

function start (t: Test) {
  const told: string[] = []
  const redis = { isUp: true }
  const entries = createEntries({
    announce: (change, _channel, { username }, scope) => { told.push(`${change} ${username} ${scope}`) },
    coalesce: 1,
    isUp: () => redis.isUp,
    onDirty: () => {}
  })
  t.teardown(entries.close)
  /** Answers every pending step with `result`, as Redis would. @returns the operations of the steps. */
  const answer = (result: 0 | 1 | 2): string[] => entries.take().map(step => {
    entries.done(step, result)
    return step.operation
  })
  return { entries, told, redis, answer }
}

t.test('[P23] a user who leaves before they were entered again in a Redis that lost its data is announced as gone', async t => {
  const { entries, told, answer } = start(t)
  entries.enter(channel, ann)
  t.same(answer(1), ['enter'])
  entries.joined(new Map(), { hold: 0, isReaped: false })
  entries.exit(channel, ann)
  t.same(answer(1), ['missing'])
  await eventually(() => entries.pending())
  t.same(answer(1), ['settle'])
  t.same(told, ['user_joined ann everyone', 'user_left ann everyone'])
  t.equal(entries.size, 0)
})

t.test('[P23] a user whom Redis held before it lost its data is entered again without an announcement', async t => {
  const { entries, told, answer } = start(t)
  entries.enter(channel, ann)
  t.same(answer(1), ['enter'])
  entries.joined(new Map(), { hold: 0, isReaped: false })
  t.same(answer(1), ['enter'])
  t.same(told, ['user_joined ann everyone'])
})

t.test('[P23] a departure is announced although the answer that allowed it was lost with the connection to Redis', async t => {
  const { entries, told, redis, answer } = start(t)
  entries.enter(channel, ann)
  answer(1)
  entries.exit(channel, ann)
  t.same(answer(1), ['exit'])
  await eventually(() => entries.pending())
  const steps = entries.take()
  t.same(steps.map(({ operation }) => operation), ['settle'])
  redis.isUp = false
  entries.failed(steps)
  redis.isUp = true
  entries.joined(new Map())
  t.same(answer(1), ['missing'])
  await eventually(() => entries.pending())
  t.same(answer(1), ['settle'])
  t.same(told, ['user_joined ann everyone', 'user_left ann everyone'])
})

t.test('[P23] an arrival waits until other instances have entered their users again, and is told only if none has the user', async t => {
  const { entries, told, answer } = start(t)
  entries.joined(new Map(), { hold: 100, isReaped: false })
  entries.enter(channel, ann)
  t.same(answer(1), [])
  await eventually(() => entries.pending())
  t.same(answer(0), ['enter'])
  t.same(told, [])
})

t.test('[P23] an arrival that waits is announced here at once, and elsewhere later, if Redis goes down meanwhile', async t => {
  const { entries, told, redis, answer } = start(t)
  entries.joined(new Map(), { hold: 100, isReaped: false })
  entries.enter(channel, ann)
  redis.isUp = false
  entries.wentDown()
  await eventually(() => told.length === 1)
  redis.isUp = true
  entries.joined(new Map())
  t.same(answer(1), ['enter'])
  t.same(told, ['user_joined ann everyone', 'user_joined ann elsewhere'])
})

t.test('[P23] a departure that Redis stores of an earlier epoch, but that this instance does not know, is announced', async t => {
  const { entries, told, answer } = start(t)
  const stored = { flag: '-', counts: false, info: JSON.stringify(['general', 'ann']) }
  entries.joined(new Map([['c1|u1', stored]]), { hold: 0, isReaped: false })
  t.same(answer(1), ['missing'])
  await eventually(() => entries.pending())
  t.same(answer(1), ['settle'])
  t.same(told, ['user_left ann everyone'])
})

t.test('[P23] users of an instance that counted as dead join again, except those whom no other instance has taken over', async t => {
  const { entries, told, answer } = start(t)
  const bob = { user_id: 'u2', username: 'bob' }
  for (const user of [ann, bob]) entries.enter(channel, user)
  t.same(answer(1), ['enter', 'enter'])
  const stored = { flag: '1', counts: false, info: JSON.stringify(['general', 'bob']) }
  entries.joined(new Map([['c1|u2', stored]]), { hold: 0, isReaped: true })
  t.same(answer(1), ['enter'])
  await eventually(() => entries.pending())
  t.same(answer(1), ['enter'])
  t.same(told, ['user_joined ann everyone', 'user_joined bob everyone', 'user_joined ann everyone'])
})
