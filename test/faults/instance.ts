// Runs an instance of the application in a separate process and causes faults as ordered: as JSON in the environment variable
// `FAULTS`, and by messages over IPC. For an instance without faults, process.ts starts src/server.ts instead.
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createBroker, createPresence } from '../../src/drivers.ts'
import { openDatabase } from '../../src/store/client.ts'
import { shiftClock } from '../../src/testing/clock.ts'
import { faultyBroker, type BusFaults } from './broker.ts'

export interface Faults extends BusFaults {
  /** Milliseconds by which the wall clock is wrong. */
  clock?: number
}

/** A message over IPC: `stall` blocks the event loop for so many milliseconds, `measure` asks for `Measures`. */
export type Order = { stall: number } | { measure: true }
export interface Measures { heap: number, resources: Record<string, number> }

const faults = JSON.parse(process.env.FAULTS ?? '{}') as Faults
if (faults.clock) shiftClock(faults.clock)

const { config } = loadConfig(process.env)
const logger = pino({ level: 'warn' })
const database = await openDatabase(config.database)
const broker = faultyBroker(createBroker(config, logger), faults)
const presence = createPresence(config, broker, logger)
const app = await buildApp({ config, database, broker, presence, jwtSecret: config.authentication.jwt_secret!, logger })
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(`listening on http://127.0.0.1:${(app.server.address() as { port: number }).port}`)

process.on('message', async (order: Order) => {
  if ('stall' in order) {
    // Waiting blocks the event loop as a busy function would, but leaves the processor to other tests.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.stall)
  } else {
    process.send!(await measure())
  }
})

/**
 * Measures heap and resources after garbage collection. Needs `--expose-gc`. Each Redis command under way has a timer, so of several
 * looks at the resources the one with the fewest timers counts.
 */
async function measure (): Promise<Measures> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!()
    await sleep(50)
  }
  const looks: Array<Record<string, number>> = []
  while (looks.length < 20) {
    await sleep(10)
    const found: Record<string, number> = {}
    for (const name of process.getActiveResourcesInfo()) found[name] = (found[name] ?? 0) + 1
    looks.push(found)
  }
  const [resources] = looks.sort((one, other) => (one.Timeout ?? 0) - (other.Timeout ?? 0)) as [Record<string, number>]
  return { heap: process.memoryUsage().heapUsed, resources }
}
