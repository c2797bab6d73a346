import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from '../case.ts'
import type { Outcome } from '../report.ts'
import { rows } from './cases.ts'
import { drawCurves, type Panel } from './curves.ts'
import { costsOf, measuredOf, predict, rowsOf, worldFor, worldOf, type Costs, type Plan, type Prediction } from './simulation.ts'

const CORE = 1_000_000
/** The example of docs/scaling.md. */
const example = { audience: 100, channelsEach: 10, perMinute: 1 }
const PEOPLE_PER_INSTANCE = 10_000
const SIZES = [10_000, 100_000, 1_000_000]
const CURVE = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000]
const RETURN_SECONDS = 600
const placements = [[true, 'spread over all instances'], [false, 'a channel on one instance']] as const

/** The measured runs that the simulation does not take figures from. */
const checked = [
  rows.instances(1, 'spread'),
  ...[2, 4].flatMap(count => [rows.instances(count, 'spread'), rows.instances(count, 'together')]),
  ...[1, 2, 4].map(rows.mixed)
]

/**
 * Writes the curves to growth.svg, and the tables between their marks in scaling.md, from growth.json, all in this folder.
 * @returns the names of the files. @throws Error if growth.json lacks a row, or scaling.md a mark.
 */
export function writePages (folder: string): string[] {
  const outcomes = readOutcomes(folder)
  writeFileSync(join(folder, 'growth.svg'), curvesOf(outcomes))
  const page = join(folder, 'scaling.md')
  if (!existsSync(page)) return ['growth.svg']
  writeFileSync(page, withTables(readFileSync(page, 'utf8'), outcomes))
  return ['growth.svg', 'scaling.md']
}

export function readOutcomes (folder: string): Outcome[] {
  return JSON.parse(readFileSync(join(folder, 'growth.json'), 'utf8')) as Outcome[]
}

export function planFor (people: number, isSpread: boolean): Plan {
  return { ...example, people, isSpread, instances: Math.max(1, Math.ceil(people / PEOPLE_PER_INSTANCE)) }
}

export function curvesOf (outcomes: Outcome[]): string {
  const costs = costsOf(outcomes)
  const panel = (title: string, unit: string, valueOf: (prediction: Prediction) => number): Panel => ({
    title,
    unit,
    lines: placements.map(([isSpread, label]) => ({
      label,
      className: isSpread ? 'spread' : 'together',
      points: CURVE.map(people => [people, valueOf(predict(costs, worldFor(planFor(people, isSpread))))])
    }))
  })
  const { machine, date } = outcomes[0]!
  return drawCurves(
    `People, each in ${example.channelsEach} channels of ${example.audience}, with ${example.perMinute} message a minute`,
    `Simulated from figures of ${machine.cores} cores of ${machine.cpu}, ${date.slice(0, 10)}; npm run bench -- growth`,
    [
      panel('Servers', 'cores', ({ server_us_per_s: cpu }) => cpu / CORE),
      panel('PostgreSQL', 'cores', ({ database_us_per_s: cpu }) => cpu / CORE),
      panel('Redis', 'cores', ({ redis_us_per_s: cpu }) => cpu / CORE),
      panel('Memory of the servers', 'GB', ({ server_mb: mb }) => mb / 1024)
    ])
}

/** Puts the tables between their marks, `<!-- table: NAME -->` and `<!-- end -->`. */
export function withTables (page: string, outcomes: Outcome[]): string {
  const tables = tablesOf(outcomes)
  return Object.entries(tables).reduce((text, [name, table]) => {
    const mark = `<!-- table: ${name} -->`
    const from = text.indexOf(mark)
    const to = text.indexOf('<!-- end -->', from)
    if (from === -1 || to === -1) throw new Error(`the page has no ${mark}`)
    return `${text.slice(0, from)}${mark}\n${table}\n${text.slice(to)}`
  }, page)
}

function tablesOf (outcomes: Outcome[]): Record<string, string> {
  const costs = costsOf(outcomes)
  const figures = rowsOf(outcomes)
  return {
    costs: costTable(costs),
    predictions: predictionTable(costs),
    check: toTable([
      ['run', 'servers, ms/s', 'PostgreSQL, ms/s', 'Redis, ms/s', 'bus, messages/s', 'memory, MB'],
      ...checked.map(row => [row, ...compare(predict(costs, worldOf(figures(row))), measuredOf(figures(row)))])
    ]),
    growth: growthTable(outcomes)
  }
}

/** Each as "predicted / measured = ratio". */
function compare (predicted: Prediction, measured: Prediction): string[] {
  const columns = [
    ['server_us_per_s', 1000, 0], ['database_us_per_s', 1000, 0], ['redis_us_per_s', 1000, 1], ['bus_messages_per_s', 1, 0],
    ['server_mb', 1, 0]
  ] as const
  return columns.map(([key, unit, digits]) => {
    const [one, other] = [predicted[key] / unit, measured[key] / unit]
    const ratio = one === 0 || other === 0 ? '' : ` = ${format(one / other, 2)}`
    return `${format(one, digits)} / ${format(other, digits)}${ratio}`
  })
}

function costTable (costs: Costs): string {
  const { instance, person, followed, membership, channel, commit, message, delivery, published, received } = costs
  const us = (value: number, digits = 1): string => value === 0 ? '–' : `${format(value, digits)} µs`
  const kb = (megabytes: number): string => megabytes === 0 ? '–' : `${format(megabytes * 1024, 1)} KB`
  return toTable([
    ['', 'server', 'PostgreSQL', 'Redis', 'memory'],
    ['a message', us(message.server), us(message.database), '', ''],
    ['a commit, of one message or many', us(commit.server), us(commit.database), '', ''],
    ['a delivery', us(delivery.server, 2), '', '', ''],
    ['a message to the bus, and its echo', us(published.server), '', us(published.redis), ''],
    ['a message from the bus, for each instance', us(received.server), '', us(received.redis), ''],
    ['a connection, each second', us(person.server), '', '', kb(person.memory)],
    ['a channel that an instance follows, each second', us(followed.server, 2), us(followed.database, 2), us(followed.redis, 2),
      kb(followed.memory)],
    ['a channel that exists, each second and instance', '', us(channel.database, 3), '', ''],
    ['a person in a channel', '', '', '', `${kb(membership.memory)}; Redis ${kb(membership.redisMemory)}`],
    ['to open a connection, authenticate and join', us(person.open, 0), '', '', ''],
    ['to join a further channel', us(membership.join, 0), '', '', ''],
    ['an instance, each second', us(instance.server, 0), us(instance.database, 0), us(instance.redis, 0),
      `${format(instance.memory, 0)} MB`]
  ])
}

function predictionTable (costs: Costs): string {
  const plans = SIZES.flatMap(people => placements.map(([isSpread, label]) => ({ plan: planFor(people, isSpread), label })))
  return toTable([
    ['people', 'placement', 'instances', 'server cores', 'cores of each', 'PostgreSQL cores', 'Redis cores', 'memory, GB', 'Redis, GB',
      'messages of the bus to instances, /s', 'all back in 10 minutes, cores more'],
    ...plans.map(({ plan, label }) => {
      const world = worldFor(plan)
      const predicted = predict(costs, world)
      const server = predicted.server_us_per_s / CORE
      const back = (costs.person.open + costs.membership.join * (plan.channelsEach - 1)) * plan.people / RETURN_SECONDS
      return [
        format(plan.people, 0), label, format(plan.instances, 0), format(server, 1), format(server / plan.instances, 2),
        format(predicted.database_us_per_s / CORE, 2), format(predicted.redis_us_per_s / CORE, 2),
        format(predicted.server_mb / 1024, 1), format(predicted.redis_mb / 1024, 2),
        format(predicted.bus_messages_per_s * world.copies, 0), format(back / CORE, 1)
      ]
    })
  ])
}

function growthTable (outcomes: Outcome[]): string {
  const always: Shown[] = [
    ['server_us_per_message', 'server, µs a message', 0], ['server_us_per_delivery', 'the same, for each delivery', 1],
    ['messages_per_commit', 'messages a commit', 1], ['database_us_per_message', 'PostgreSQL, µs a message', 0],
    ['redis_us_per_message', 'Redis, µs a message', 0], ['bus_messages_per_message', 'bus messages a message', 2]
  ]
  /** Only after a longer time in which nobody writes do these tell something. */
  const rested: Shown[] = [
    ['idle_us_per_connection_and_s', 'idle, µs/s a connection', 1], ['idle_database_us_per_s', 'PostgreSQL idle, µs/s', 0],
    ['memory_per_connection_kb', 'KB a connection', 1]
  ]
  const groups: Array<[name: string, shown: Shown[]]> = [
    ['growth-users', [...always, ...rested]], ['growth-channels', [...always, ...rested]],
    ['growth-kept', always], ['growth-instances', always]
  ]
  return toTable([
    ['', ...[...always, ...rested].map(([, title]) => title)],
    ...groups.flatMap(([name, shown]) => Object.entries(outcomes.find(outcome => outcome.name === name)?.medians ?? {})
      .map(([row, figures]) => [
        row,
        ...shown.map(([key, , digits]) => format(Math.max(0, figures[key]!), digits)),
        ...Array.from({ length: always.length + rested.length - shown.length }, () => '')
      ]))
  ])
}

type Shown = [key: string, title: string, digits: number]

function toTable ([head, ...body]: string[][]): string {
  return [head!, head!.map(() => '---'), ...body].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
