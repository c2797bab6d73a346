import { readFileSync } from 'node:fs'
import type { Figures } from '../../scripts/bench/case.ts'
import { curvesOf, planFor, readOutcomes, withTables } from '../../scripts/bench/growth/pages.ts'
import { simulate } from '../../scripts/bench/growth/simulate.ts'
import { withRowsOf } from '../../scripts/bench/report.ts'
import { batchAt, costsOf, predict, worldFor, worldOf, type Costs, type World } from '../../scripts/bench/growth/simulation.ts'
import { t } from '../tap.ts'

const outcomes = readOutcomes('docs')

/** Every cost has another value, so that none can stand for another. */
const known: Costs = {
  instance: { server: 9000, database: 4000, redis: 1500, memory: 120, redisMemory: 3 },
  person: { server: 3, memory: 0.009, open: 900 },
  followed: { server: 1.5, database: 4, redis: 0.3, memory: 0.002 },
  membership: { memory: 0.0007, redisMemory: 0.00025, join: 700 },
  channel: { database: 0.2 },
  commit: { server: 110, database: 170 },
  message: { server: 70, database: 60 },
  delivery: { server: 14 },
  published: { server: 31, redis: 9 },
  received: { server: 23, redis: 5 },
  batches: [[0, 1], [2000, 9]]
}

/** Calculates the figures that a measurement of this world would find if each thing cost exactly this much. */
function figuresOf (costs: Costs, world: World): Figures {
  const idle = predict(costs, { ...world, rate: 0 })
  const busy = predict(costs, world)
  const added = (key: 'server_us_per_s' | 'database_us_per_s' | 'redis_us_per_s'): number => (busy[key] - idle[key]) / world.rate
  return {
    open_server_us: costs.person.open + costs.membership.join * (world.memberships / world.people - 1),
    idle_server_us_per_s: idle.server_us_per_s,
    idle_database_us_per_s: idle.database_us_per_s,
    idle_redis_us_per_s: idle.redis_us_per_s,
    server_us_per_message: added('server_us_per_s'),
    database_us_per_message: added('database_us_per_s'),
    redis_us_per_message: added('redis_us_per_s'),
    messages_per_commit: batchAt(costs.batches, world.rate / world.instances),
    server_mb: busy.server_mb,
    redis_mb: busy.redis_mb
  }
}

t.test('a row that is measured by itself takes its place, and the others keep their figures', async t => {
  const before = outcomes.find(({ name }) => name === 'growth-users')!
  const [first, second, third] = Object.keys(before.medians) as [string, string, string]
  const figures = { connections: 7 }
  const now = { ...before, date: 'now', runs: [{ row: second, round: 1, figures }], medians: { [second]: figures } }
  const merged = withRowsOf(before, now, [first, second, third])
  t.strictSame(merged.medians, { ...before.medians, [second]: figures })
  t.strictSame(Object.keys(merged.medians), [first, second, third])
  t.strictSame(merged.runs.map(({ row }) => row), [first, second, third])
  t.equal(merged.date, 'now')
})

t.test('the simulation finds each cost again in the figures that this cost would give', async t => {
  const invented = outcomes.map(outcome => ({
    ...outcome,
    medians: Object.fromEntries(Object.entries(outcome.medians).map(([row, figures]) => [row, {
      ...figures,
      ...figures.subscribers === undefined
        ? figuresOf(known, worldOf(figures))
        : { redis_us_per_message: known.published.redis + known.received.redis * figures.subscribers }
    }]))
  }))
  const found = costsOf(invented)
  for (const rate of [0, 20, 100, 700]) {
    t.ok(Math.abs(batchAt(found.batches, rate) / batchAt(known.batches, rate) - 1) < 0.001, `messages of a commit at ${rate} messages/s`)
  }
  for (const [thing, parts] of Object.entries(known)) {
    if (Array.isArray(parts)) continue
    const others = found[thing as keyof Costs] as Record<string, number>
    for (const [part, cost] of Object.entries(parts as Record<string, number>)) {
      t.ok(Math.abs(others[part]! / cost - 1) < 0.001, `${thing}, ${part}: ${others[part]} instead of ${cost}`)
    }
  }
})

t.test('the simulation adds up', async t => {
  const costs = costsOf(outcomes)
  const plan = planFor(100_000, false)
  const [once, twice] = [plan, planFor(200_000, false)].map(one => predict(costs, worldFor(one)))
  for (const key of ['server_us_per_s', 'redis_us_per_s', 'server_mb'] as const) {
    t.ok(Math.abs(twice![key] / once![key] - 2) < 0.001, `twice the people and instances take twice as much, ${key}`)
  }
  const spread = predict(costs, worldFor({ ...plan, isSpread: true }))
  for (const key of ['server_us_per_s', 'database_us_per_s', 'redis_us_per_s', 'server_mb'] as const) {
    t.ok(spread[key] >= once![key], `people who are spread take no less, ${key}`)
  }
  t.equal(predict(costs, worldFor(planFor(1000, true))).bus_messages_per_s, 0, 'a single instance publishes nothing')
  const { copies } = worldFor({ ...plan, instances: 1_000_000, isSpread: true })
  t.ok(Math.abs(copies - plan.audience) < 0.01, 'on very many instances, everyone of a channel has another')
})

t.test('the curves and the tables of docs/scaling.md are those of docs/growth.json: npm run bench -- simulate', async t => {
  t.equal(readFileSync('docs/growth.svg', 'utf8'), curvesOf(outcomes))
  const page = readFileSync('docs/scaling.md', 'utf8')
  t.equal(page, withTables(page, outcomes))
})

t.test('npm run bench -- simulate says what given people cost, and what it does not understand', async t => {
  const lines = simulate(['--people=50000', '--instances=8', '--audience=50', '--channels=4', '--per-minute=2', '--together'], 'docs')
  t.match(lines[0], '50,000 people on 8 instances, kept together: 4,000 channels of 50, 1,667 messages/s')
  t.equal(lines.length, 5)
  t.throws(() => simulate(['--people=many'], 'docs'), /above 0\nusage:/)
  t.throws(() => simulate(['--persons=5'], 'docs'), /usage:/)
})
