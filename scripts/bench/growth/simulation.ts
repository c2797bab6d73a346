// Predicts what an installation of any size costs, from the figures of docs/growth.json. Times are microseconds of CPU, rates per second,
// memory is in megabytes.
import type { Figures } from '../case.ts'
import type { Outcome } from '../report.ts'
import { inputs, rows } from './cases.ts'

/** An installation and its load. */
export interface World {
  people: number
  instances: number
  /** People in the channels that messages are sent to. */
  audience: number
  /** Pairs of a person and a channel that they are in. */
  memberships: number
  channels: number
  /** Pairs of an instance and a channel that somebody on it is in. */
  followed: number
  /** Instances that have somebody of the channel of a message, on average. */
  copies: number
  /** Messages per second. */
  rate: number
}

export interface Prediction {
  server_us_per_s: number
  database_us_per_s: number
  redis_us_per_s: number
  bus_messages_per_s: number
  server_mb: number
  redis_mb: number
}

/** The cost of each thing. `idle` costs are those of every second, memory is in megabytes. */
export interface Costs {
  instance: { server: number, database: number, redis: number, memory: number, redisMemory: number }
  person: { server: number, memory: number, open: number }
  /** A channel that an instance follows. */
  followed: { server: number, database: number, redis: number, memory: number }
  membership: { memory: number, redisMemory: number, join: number }
  /** A channel that exists, for each instance. */
  channel: { database: number }
  commit: { server: number, database: number }
  message: { server: number, database: number }
  delivery: { server: number }
  /** A message that is published, with its echo, and one that an instance gets from another. */
  published: { server: number, redis: number }
  received: { server: number, redis: number }
  /** Messages per second of an instance, in rising order, and how many it then puts in one commit. */
  batches: Array<[rate: number, messagesPerCommit: number]>
}

/** Figures of rows by name. @throws Error if a row was not measured. */
export function rowsOf (outcomes: Outcome[]): (row: string) => Figures {
  const found = new Map(outcomes.flatMap(({ medians }) => Object.entries(medians)))
  return row => {
    const figures = found.get(row)
    if (!figures) throw new Error(`the simulation needs the figures of "${row}": npm run bench -- growth`)
    return figures
  }
}

/** Solves for what each thing costs. A cost that comes out below zero, because its effect is smaller than the noise, counts as zero. */
export function costsOf (outcomes: Outcome[]): Costs {
  const figures = rowsOf(outcomes)
  const at = (row: string, key: string): number => figures(row)[key]!
  /** The difference of a figure between two rows. */
  const more = (key: string, to: string, from: string): number => at(to, key) - at(from, key)
  const [few, many] = inputs.people.map(rows.people) as [string, string]
  const [bare, full, most] = inputs.own.map(rows.channels) as [string, string, string]
  const { shared, unused, bus } = rows
  const traffic = inputs.rates.map(rate => rows.traffic(rate))
  const [slow, fast] = [traffic[0]!, traffic.at(-1)!]
  const loud = rows.traffic(inputs.largeAudience.rate, inputs.largeAudience.audience)

  /** The cost of a followed channel, from channels with one person each. */
  const perFollowed = (key: string): number => positive(more(key, full, bare) / more('followed_channels', full, bare))
  const channelDatabase = positive(more('idle_database_us_per_s', unused, bare) / more('existing_channels', unused, bare))
  const followed = {
    server: perFollowed('idle_server_us_per_s'),
    database: positive(perFollowed('idle_database_us_per_s') - channelDatabase),
    redis: perFollowed('idle_redis_us_per_s')
  }
  // The two rows have different numbers of channels and of memberships, so they tell what each of the two takes.
  const [channelMemory, membershipMemory] = solve(
    [more('followed_channels', most, bare), more('memberships', most, bare), more('server_mb', most, bare)],
    [more('followed_channels', shared, bare), more('memberships', shared, bare), more('server_mb', shared, bare)])
  const personServer = positive((more('idle_server_us_per_s', many, few) - followed.server * more('followed_channels', many, few)) /
    more('connections', many, few))
  const personMemory = positive((more('server_mb', many, few) - channelMemory * more('followed_channels', many, few) -
    membershipMemory * more('memberships', many, few)) / more('connections', many, few))

  const batches = (row: string): number => 1 / at(row, 'messages_per_commit')
  const perCommit = (key: string): number => positive(more(key, slow, fast) / (batches(slow) - batches(fast)))
  const commit = { server: perCommit('server_us_per_message'), database: perCommit('database_us_per_message') }
  /** The rest of a figure without the commits. */
  const beyond = (kind: keyof typeof commit, row: string): number => at(row, `${kind}_us_per_message`) - commit[kind] * batches(row)
  const delivery = positive((beyond('server', loud) - beyond('server', slow)) / more('audience', loud, slow))
  const received = positive(beyond('server', bus.spread) - beyond('server', bus.together))
  const [one, crowd] = inputs.subscribers.map(rows.subscribers) as [string, string]
  const receivedRedis = positive(more('redis_us_per_message', crowd, one) / more('subscribers', crowd, one))
  const memberships = at(few, 'memberships')
  const redisMembership = positive(more('redis_mb', shared, bare) / more('memberships', shared, bare))
  return {
    instance: {
      server: positive(at(few, 'idle_server_us_per_s') - personServer * at(few, 'connections') -
        followed.server * at(few, 'followed_channels')),
      database: positive(at(few, 'idle_database_us_per_s') - followed.database * at(few, 'followed_channels') -
        channelDatabase * at(few, 'existing_channels')),
      redis: positive(at(few, 'idle_redis_us_per_s') - followed.redis * at(few, 'followed_channels')),
      memory: positive(at(few, 'server_mb') - personMemory * at(few, 'connections') - channelMemory * at(few, 'followed_channels') -
        membershipMemory * memberships),
      redisMemory: positive(at(few, 'redis_mb') - redisMembership * memberships)
    },
    person: { server: personServer, memory: personMemory, open: at(many, 'open_server_us') },
    followed: { ...followed, memory: channelMemory },
    membership: {
      memory: membershipMemory,
      redisMemory: redisMembership,
      join: positive(more('open_server_us', shared, bare) * at(shared, 'connections') / more('memberships', shared, bare))
    },
    channel: { database: channelDatabase },
    commit,
    message: {
      server: positive(beyond('server', slow) - delivery * at(slow, 'audience')),
      database: positive(beyond('database', slow))
    },
    delivery: { server: delivery },
    published: {
      server: positive(beyond('server', bus.together) - beyond('server', bus.alone)),
      redis: positive(at(bus.together, 'redis_us_per_message') - receivedRedis)
    },
    received: { server: received, redis: receivedRedis },
    batches: [[0, 1], ...traffic.map((row): [number, number] => [at(row, 'messages_per_s'), at(row, 'messages_per_commit')])]
  }
}

export function predict (costs: Costs, world: World): Prediction {
  const { instance, person, followed, membership, channel, commit, message, delivery, published, received, batches } = costs
  const { people, instances, audience, memberships, channels, rate, copies } = world
  const commits = rate / batchAt(batches, rate / instances)
  // A single instance publishes nothing. With others, each message goes to Redis once, and from there to everyone who follows its channel.
  const onBus = instances > 1 ? rate : 0
  return {
    server_us_per_s: instance.server * instances + person.server * people + followed.server * world.followed + commit.server * commits +
      (message.server + delivery.server * audience) * rate + (published.server + received.server * (copies - 1)) * onBus,
    database_us_per_s: instance.database * instances + followed.database * world.followed + channel.database * channels * instances +
      commit.database * commits + message.database * rate,
    redis_us_per_s: instance.redis * instances + followed.redis * world.followed + (published.redis + received.redis * copies) * onBus,
    bus_messages_per_s: onBus,
    server_mb: instance.memory * instances + person.memory * people + followed.memory * world.followed + membership.memory * memberships,
    redis_mb: instance.redisMemory + membership.redisMemory * memberships
  }
}

/** Messages per commit at this rate, between those of the nearest rates. Beyond the highest rate they are assumed not to grow further. */
export function batchAt (batches: Costs['batches'], rate: number): number {
  const next = batches.findIndex(([measured]) => measured >= rate)
  if (next === -1) return batches.at(-1)![1]
  if (next === 0) return batches[0]![1]
  const [[from, least], [to, most]] = [batches[next - 1]!, batches[next]!]
  return least + (most - least) * (rate - from) / (to - from)
}

/** The world in which these figures were measured. */
export function worldOf (figures: Figures): World {
  const { connections, instances, audience, memberships, existing_channels: channels, followed_channels: followed, copies } = figures
  return {
    people: connections!,
    instances: instances!,
    audience: audience!,
    memberships: memberships!,
    channels: channels!,
    followed: followed!,
    copies: copies!,
    rate: figures.messages_per_s!
  }
}

/** The measured values of the figures that `predict` returns. */
export function measuredOf (figures: Figures): Prediction {
  return {
    server_us_per_s: figures.busy_server_us_per_s!,
    database_us_per_s: figures.busy_database_us_per_s!,
    redis_us_per_s: figures.busy_redis_us_per_s!,
    bus_messages_per_s: figures.bus_messages_per_message! * figures.messages_per_s!,
    server_mb: figures.server_mb!,
    redis_mb: figures.redis_mb!
  }
}

export interface Plan {
  people: number
  instances: number
  /** People in a channel, and channels that each of them is in. */
  audience: number
  channelsEach: number
  /** Messages that a person sends in a minute. */
  perMinute: number
  /** Whether a balancer spreads the people of a channel over all instances by chance, or all of them use one instance. */
  isSpread: boolean
}

export function worldFor ({ people, instances, audience, channelsEach, perMinute, isSpread }: Plan): World {
  const memberships = people * channelsEach
  const channels = memberships / audience
  // An instance has somebody of a channel unless each of its people is on one of the others.
  const copies = isSpread ? instances * (1 - (1 - 1 / instances) ** audience) : 1
  return { people, instances, audience, memberships, channels, followed: channels * copies, copies, rate: people * perMinute / 60 }
}

const positive = (value: number): number => Math.max(0, value)

/** Solves a·x + b·y = c for two rows [a, b, c]. */
function solve ([a, b, c]: [number, number, number], [d, e, f]: [number, number, number]): [number, number] {
  const determinant = a * e - b * d
  return [positive((c * e - b * f) / determinant), positive((a * f - c * d) / determinant)]
}
