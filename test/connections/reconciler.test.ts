import { setTimeout as sleep } from 'node:timers/promises'
import { createMemoryBroker } from '../../src/broker/memory.ts'
import { createMemoryPresence } from '../../src/presence/memory.ts'
import { createAnnounce } from '../../src/connections/announce.ts'
import { createOutboundMemory } from '../../src/connections/backlog.ts'
import { Hub } from '../../src/connections/hub.ts'
import { createTraffic } from '../../src/connections/traffic.ts'
import { createReconciler } from '../../src/connections/reconciler.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'

t.test('[P60] many hints cause few queries, which run one at a time and name each user and channel once', async t => {
  const broker = createMemoryBroker()
  const hub = new Hub({
    broker,
    presence: createMemoryPresence(createAnnounce(broker)),
    messages: { missing: async () => [], isInFlight: () => false },
    activity: { receive () {}, unwatch () {} },
    watchers: { receive () {} },
    tracer: { isOn: false, accept () {} },
    onFault: error => { throw error },
    traffic: createTraffic([]),
    maxWaiting: 1000,
    outbound: createOutboundMemory(Infinity)
  })
  const asked: string[][] = []
  let running = 0
  async function query (ids: string[]): Promise<[]> {
    t.equal(++running, 1, 'queries run one at a time')
    asked.push(ids)
    await sleep(1)
    running--
    return []
  }
  const watch = createReconciler({
    hub,
    broker,
    versions: query,
    settings: async () => [],
    states: query,
    membersAmong: async () => new Set(),
    mutesAmong: async () => new Map(),
    changedWithin: async () => [],
    loggedOutWithin: async () => [],
    toldWithin: async () => [],
    findLogins: async () => [],
    onFault: error => { throw error }
  })
  t.teardown(() => watch.stop())

  const began = performance.now()
  while (performance.now() - began < 500) {
    for (let i = 0; i < 100; i++) {
      hub.doubts.user(`user ${i}`)
      hub.doubts.channels([`channel ${i}`])
    }
    await sleep(5)
  }
  const last = 'the last'
  hub.doubts.user(last)
  await eventually(() => asked.some(ids => ids.includes(last)))
  const rounds = Math.ceil((performance.now() - began) / 50) + 1
  t.ok(asked.length <= 2 * rounds, `${asked.length} queries`)
  for (const ids of asked) t.equal(new Set(ids).size, ids.length)
})
