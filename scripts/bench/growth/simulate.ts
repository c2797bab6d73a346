import { parseArgs } from 'node:util'
import { format } from '../case.ts'
import { planFor, readOutcomes, writePages } from './pages.ts'
import { costsOf, predict, worldFor, type Plan } from './simulation.ts'

const CORE = 1_000_000
const usage =
  'usage: npm run bench -- simulate [--people=N [--instances=N] [--audience=N] [--channels=N] [--per-minute=N] [--together]]\n' +
  '  --audience: people in a channel; --channels: channels of each person; --per-minute: messages that each person sends'

/**
 * `npm run bench -- simulate` calculates from docs/growth.json, without measuring: what the given people cost, or, without arguments, the
 * curves and tables of docs/scaling.md, which it writes. @returns the lines to print. @throws Error that includes the usage.
 */
export function simulate (args: string[], folder: string): string[] {
  const plan = readPlan(args)
  if (!plan) return [`written: ${writePages(folder).join(' and ')}`]
  const world = worldFor(plan)
  const predicted = predict(costsOf(readOutcomes(folder)), world)
  const [server, database, redis] = [predicted.server_us_per_s, predicted.database_us_per_s, predicted.redis_us_per_s].map(us => us / CORE)
  const bus = predicted.bus_messages_per_s
  return [
    `${format(plan.people, 0)} people on ${format(plan.instances, 0)} instances, ${plan.isSpread ? 'spread' : 'kept together'}: ` +
      `${format(world.channels, 0)} channels of ${plan.audience}, ${format(world.rate, 0)} messages/s`,
    `  servers     ${format(server!, 2)} cores, ${format(server! / plan.instances, 2)} each; ${format(predicted.server_mb, 0)} MB`,
    `  PostgreSQL  ${format(database!, 2)} cores`,
    `  Redis       ${format(redis!, 2)} cores; ${format(predicted.redis_mb, 0)} MB`,
    `  bus         ${format(bus, 0)} messages/s, of which instances get ${format(bus * world.copies, 0)}`
  ]
}

function readPlan (args: string[]): Plan | undefined {
  if (args.length === 0) return
  let values
  try {
    const text = { type: 'string' } as const
    const together = { type: 'boolean', default: false } as const
    const options = { people: text, instances: text, audience: text, channels: text, 'per-minute': text, together }
    values = parseArgs({ args, options }).values
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${usage}`)
  }
  const usual = planFor(Number(values.people), !values.together)
  const plan = {
    ...usual,
    instances: Number(values.instances ?? usual.instances),
    audience: Number(values.audience ?? usual.audience),
    channelsEach: Number(values.channels ?? usual.channelsEach),
    perMinute: Number(values['per-minute'] ?? usual.perMinute)
  }
  const wrong = [plan.people, plan.instances, plan.audience, plan.channelsEach, plan.perMinute].some(value => !(value > 0))
  if (wrong) throw new Error(`all numbers have to be above 0\n${usage}`)
  return plan
}
