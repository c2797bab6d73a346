import { loadConfig, type Config } from '../../src/config.ts'
import { createLimits, type Allowance, type RequestCost } from '../../src/connections/limits.ts'
import { t } from '../tap.ts'

/** Limits by a clock of the test's own; what is not given is never reached. */
function createScene (change: Partial<Config['limits']>) {
  const clock = { now: 1_000_000 }
  const never = Object.entries(loadConfig({}).config.limits).map(([key, value]) => [key, typeof value === 'number' ? 1_000_000 : value])
  const limits = createLimits({ ...Object.fromEntries(never), ...change } as Config['limits'], () => clock.now)
  return { limits, clock, connect: (address = 'a') => limits.connect(address) }
}

/** How many frames of the size pass in a row. */
const passing = (allowance: Allowance, bytes = 1): number => countPassing(() => allowance.takeFrame(bytes))
const passingRequests = (allowance: Allowance, cost: RequestCost): number => countPassing(() => allowance.takeRequest(cost))

function countPassing (take: () => number): number {
  let count = 0
  while (count < 100_000 && take() === 0) count++
  return count
}

t.test('[P35] ten seconds\' worth may come at once, then what the rate allows', async t => {
  const { clock, connect } = createScene({ connection_frames: 20 })
  const connection = connect()
  t.equal(passing(connection), 200)
  clock.now += 1000
  t.equal(passing(connection), 20)
  clock.now += 3_600_000
  t.equal(passing(connection), 200, 'nothing beyond it is saved up')
})

t.test('a steady rate at the limit passes for ever', async t => {
  const { clock, connect } = createScene({ connection_frames: 100 })
  const connection = connect()
  for (let i = 0; i < 10_000; i++) {
    clock.now += 10
    if (connection.takeFrame(1) !== 0) return t.fail(`frame ${i}`)
  }
})

t.test('[P35] retry_after_ms is when the same frame passes, and a refused frame costs nothing', async t => {
  const { clock, connect } = createScene({ connection_frames: 10, connection_bytes: 2000 })
  const connection = connect()
  t.equal(passing(connection, 1000), 20)
  for (let i = 0; i < 10; i++) t.equal(connection.takeFrame(1000), 500)
  clock.now += 499
  t.equal(connection.takeFrame(1000), 1)
  clock.now += 1
  t.equal(connection.takeFrame(1000), 0)
  t.equal(connection.takeFrame(100), 50, 'a smaller one has less to wait')
})

t.test('a frame larger than the capacity passes a whole meter and empties it', async t => {
  const { clock, connect } = createScene({ connection_bytes: 1024 })
  const connection = connect()
  t.equal(connection.takeFrame(16_000_000), 0)
  t.equal(connection.takeFrame(16_000_000), 10_000)
  clock.now += 10_000
  t.equal(connection.takeFrame(16_000_000), 0)
})

t.test('joins and commands have limits of their own besides that of frames', async t => {
  const { connect } = createScene({ connection_frames: 100, connection_joins: 5, connection_commands: 3 })
  const connection = connect()
  t.equal(passingRequests(connection, 'join'), 50)
  t.equal(passingRequests(connection, 'command'), 30)
  t.equal(passing(connection), 1000, 'a frame is counted when it comes, by `takeFrame`')
})

t.test('a user\'s connections share his limits from authentication on, an address\'s all of them', async t => {
  const { limits, connect } = createScene({ user_frames: 5, address_frames: 8 })
  const [first, second, other] = [connect(), connect(), connect()]
  t.equal(first.takeFrame(1), 0)
  first.identify('ann')
  second.identify('ann')
  t.equal(passing(first), 50)
  t.equal(passing(second), 0)
  t.equal(passing(other), 80 - 51, 'the address is left with this')
  t.equal(passing(limits.connect('b')), 80)
})

t.test('to reconnect refills neither user nor address; they are forgotten when they are whole', async t => {
  const { limits, clock, connect } = createScene({ user_frames: 5 })
  const connection = connect()
  connection.identify('ann')
  t.equal(passing(connection), 50)
  connection.release()
  limits.sweep()
  t.equal(limits.size, 2)
  const again = connect()
  again.identify('ann')
  clock.now += 1000
  t.equal(passing(again), 5)
  again.release()
  clock.now += 9999
  limits.sweep()
  t.equal(limits.size, 1, 'the user is not')
  clock.now += 1
  limits.sweep()
  t.equal(limits.size, 0)
})

t.test('whoever is connected is not forgotten', async t => {
  const { limits, clock, connect } = createScene({ user_connections: 1 })
  connect().identify('ann')
  clock.now += 3_600_000
  limits.sweep()
  t.equal(limits.size, 2)
  t.throws(() => connect().identify('ann'), { code: 'rate_limited', retryAfterMs: Number })
})

t.test('a user may have so many connections; to identify again is none', async t => {
  const { connect } = createScene({ user_connections: 2 })
  const [first, second, third] = [connect(), connect(), connect()]
  first.identify('ann')
  first.identify('ann')
  second.identify('ann')
  t.throws(() => third.identify('ann'), { code: 'rate_limited' })
  third.identify('ben')
  second.release()
  connect().identify('ann')
})

t.test('an address may ask for so many connections a second, and have so many', async t => {
  const { limits, clock } = createScene({ address_upgrades: 2, address_connections: 15 })
  const ask = (address = 'a'): boolean => limits.upgrade(address) === 0
  t.same(Array.from({ length: 21 }, () => ask()).lastIndexOf(true), 19)
  t.equal(limits.upgrade('a'), 500)
  t.ok(ask('b'))
  clock.now += 500
  t.ok(ask())
  t.notOk(ask())
  clock.now += 10_000
  const open = Array.from({ length: 15 }, () => limits.connect('a'))
  t.ok(limits.upgrade('a') > 0, 'full')
  open.pop()!.release()
  t.ok(ask())
})

t.test('[P53] frames before authentication have limits of their own, of a connection and of an address', async t => {
  const { connect } = createScene({ unauthenticated_frames: 2, address_unauthenticated_frames: 5 })
  const [first, second, third] = [connect(), connect(), connect()]
  t.equal(passing(first), 20)
  t.equal(passing(second), 20)
  t.equal(passing(third), 10, 'the address is left with this')
  first.identify('ann')
  t.equal(passing(first, 0), 100_000)
})

t.test('[P53] a reserved frame is counted at once, passes at its time, and goes before all that come after it', async t => {
  const { clock, connect } = createScene({ connection_frames: 10, address_frames: 10 })
  const [connection, other] = [connect(), connect()]
  t.equal(passing(connection), 100)
  t.notOk(connection.isWaiting)
  connection.reserveFrame(1)
  t.ok(connection.isWaiting)
  clock.now += 99
  t.ok(connection.isWaiting)
  t.equal(other.takeFrame(1), 101, 'the place is taken')
  clock.now += 1
  t.notOk(connection.isWaiting)
  t.ok(connection.takeReserved())
  t.notOk(connection.takeReserved(), 'once')
  t.equal(connection.takeFrame(1), 100)
})

t.test('[P35] refusals are answered up to a number for each tick, of a connection, a user and an address', async t => {
  const { limits, connect } = createScene({})
  const refusals = (allowance: Allowance): number => countPassing(() => allowance.takeRefusal() ? 0 : 1)
  const connections = Array.from({ length: 6 }, () => connect())
  t.equal(refusals(connections[0]!), 16, 'without a user, fewer')
  for (const connection of connections) connection.identify('ann')
  t.same(connections.map(refusals), [112, 128, 128, 128, 16, 0], 'those of one user')
  limits.sweep()
  t.equal(refusals(connections[5]!), 128)
})
