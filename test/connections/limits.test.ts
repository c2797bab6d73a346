import { loadConfig } from '../../src/config.ts'
import type { Config } from '../../src/config-schema.ts'
import { createLimits, type Allowance, type RequestCost } from '../../src/connections/limits.ts'
import { t } from '../tap.ts'

/** Limits with a simulated clock. Limits that `change` does not set are too high to be reached. */
function createScene (change: Partial<Config['limits']>) {
  const clock = { now: 1_000_000 }
  const never = Object.entries(loadConfig({}).config.limits).map(([key, value]) => [key, typeof value === 'number' ? 1_000_000 : value])
  const limits = createLimits({ ...Object.fromEntries(never), ...change } as Config['limits'], () => clock.now)
  return { limits, clock, connect: (address = 'a') => limits.connect(address) }
}

/** Number of frames of this size that pass in a row. */
const passing = (allowance: Allowance, bytes = 1): number => countPassing(() => allowance.takeFrame(bytes))
const passingRequests = (allowance: Allowance, cost: RequestCost): number => countPassing(() => allowance.takeRequest(cost))

function countPassing (take: () => number): number {
  let count = 0
  while (count < 100_000 && take() === 0) count++
  return count
}

t.test('[P35] ten seconds\' worth of frames may come at once, then only what the rate allows', async t => {
  const { clock, connect } = createScene({ connection_frames: 20 })
  const connection = connect()
  t.equal(passing(connection), 200)
  clock.now += 1000
  t.equal(passing(connection), 20)
  clock.now += 3_600_000
  t.equal(passing(connection), 200, 'a long pause saves up no more than ten seconds\' worth')
})

t.test('frames at a steady rate equal to the limit always pass', async t => {
  const { clock, connect } = createScene({ connection_frames: 100 })
  const connection = connect()
  for (let i = 0; i < 10_000; i++) {
    clock.now += 10
    if (connection.takeFrame(1) !== 0) return t.fail(`frame ${i}`)
  }
})

t.test('[P35] the same frame passes after retry_after_ms, and a refused frame costs nothing', async t => {
  const { clock, connect } = createScene({ connection_frames: 10, connection_bytes: 2000 })
  const connection = connect()
  t.equal(passing(connection, 1000), 20)
  for (let i = 0; i < 10; i++) t.equal(connection.takeFrame(1000), 500)
  clock.now += 499
  t.equal(connection.takeFrame(1000), 1)
  clock.now += 1
  t.equal(connection.takeFrame(1000), 0)
  t.equal(connection.takeFrame(100), 50, 'a smaller frame waits for less time')
})

t.test('a frame larger than the capacity passes if the meter is fully refilled, and uses all of it', async t => {
  const { clock, connect } = createScene({ connection_bytes: 1024 })
  const connection = connect()
  t.equal(connection.takeFrame(16_000_000), 0)
  t.equal(connection.takeFrame(16_000_000), 10_000)
  clock.now += 10_000
  t.equal(connection.takeFrame(16_000_000), 0)
})

t.test('joins, commands and signals have their own limits in addition to the limit of frames', async t => {
  const { connect } = createScene({ connection_frames: 100, connection_joins: 5, connection_commands: 3, connection_signals: 2 })
  const connection = connect()
  t.equal(passingRequests(connection, 'join'), 50)
  t.equal(passingRequests(connection, 'command'), 30)
  t.equal(passingRequests(connection, 'signal'), 20)
  t.equal(passing(connection), 1000, 'only takeFrame counts frames')
})

t.test('all connections of an address share its limits, and those of a user share theirs from authentication on', async t => {
  const { limits, connect } = createScene({ user_frames: 5, address_frames: 8 })
  const [first, second, other] = [connect(), connect(), connect()]
  t.equal(first.takeFrame(1), 0)
  first.identify('ann')
  second.identify('ann')
  t.equal(passing(first), 50)
  t.equal(passing(second), 0)
  t.equal(passing(other), 80 - 51, 'this is what the other connections left of the address\'s limit')
  t.equal(passing(limits.connect('b')), 80)
})

t.test('reconnecting refills no meter of a user or address; unused meters are deleted when they are fully refilled', async t => {
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
  t.equal(limits.size, 1, 'the meter of the user is not refilled yet')
  clock.now += 1
  limits.sweep()
  t.equal(limits.size, 0)
})

t.test('meters of connected users and addresses are not deleted', async t => {
  const { limits, clock, connect } = createScene({ user_connections: 1 })
  connect().identify('ann')
  clock.now += 3_600_000
  limits.sweep()
  t.equal(limits.size, 2)
  t.throws(() => connect().identify('ann'), { code: 'rate_limited', retryAfterMs: Number })
})

t.test('a user has at most user_connections connections, and identifying again adds none', async t => {
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

t.test('an address has at most address_upgrades upgrades a second and address_connections open connections', async t => {
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
  t.ok(limits.upgrade('a') > 0, 'the address has all connections that it may have')
  open.pop()!.release()
  t.ok(ask())
})

t.test('[P53] frames before authentication have separate limits for each connection and each address', async t => {
  const { connect } = createScene({ unauthenticated_frames: 2, address_unauthenticated_frames: 5 })
  const [first, second, third] = [connect(), connect(), connect()]
  t.equal(passing(first), 20)
  t.equal(passing(second), 20)
  t.equal(passing(third), 10, 'this is what the other connections left of the address\'s limit')
  first.identify('ann')
  t.equal(passing(first, 0), 100_000)
})

t.test('[P53] a reserved frame counts at once, passes when its time has come, and goes before all later frames', async t => {
  const { clock, connect } = createScene({ connection_frames: 10, address_frames: 10 })
  const [connection, other] = [connect(), connect()]
  t.equal(passing(connection), 100)
  t.notOk(connection.isWaiting)
  connection.reserveFrame(1)
  t.ok(connection.isWaiting)
  clock.now += 99
  t.ok(connection.isWaiting)
  t.equal(other.takeFrame(1), 101, 'the reserved frame has used what was free')
  clock.now += 1
  t.notOk(connection.isWaiting)
  t.ok(connection.takeReserved())
  t.notOk(connection.takeReserved(), 'a reservation is valid once')
  t.equal(connection.takeFrame(1), 100)
})

t.test('[P35] the number of answered refusals between two ticks is limited for each connection, user and address', async t => {
  const { limits, connect } = createScene({})
  const refusals = (allowance: Allowance): number => countPassing(() => allowance.takeRefusal() ? 0 : 1)
  const connections = Array.from({ length: 6 }, () => connect())
  t.equal(refusals(connections[0]!), 16, 'an unauthenticated connection has fewer')
  for (const connection of connections) connection.identify('ann')
  t.same(connections.map(refusals), [112, 128, 128, 128, 16, 0], 'the connections of one user share 512')
  limits.sweep()
  t.equal(refusals(connections[5]!), 128)
})
