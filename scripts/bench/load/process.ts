// The process of the load generator. It carries out the orders of its parent, one at a time.
import { readFileSync } from 'node:fs'
import type { Connection, Sink } from './connection.ts'
import { openCrowd } from './crowd.ts'
import { pace } from './pacing.ts'
import type { CrowdPlan, Order, Reply, Result } from './protocol.ts'
import { publish } from './publishing.ts'

const ignore = (): void => {}
let connections: Connection[] = []
let plan: CrowdPlan | undefined

/** Rejects with the first error of any connection, because the figures of a run with a broken connection are wrong. */
let fail: (error: Error) => void
const trouble = new Promise<never>((_resolve, reject) => { fail = reject })
trouble.catch(ignore)

const sink: Sink = {
  deliveries: 0,
  delivered: ignore,
  acked: ignore,
  settled: ignore,
  failed: ({ target: { port, channel } }, why) => fail(new Error(`a client of port ${port} in ${channel}: ${why}`))
}

async function execute (order: Order): Promise<Result> {
  switch (order.do) {
    case 'open': {
      const tokens = order.tokensFile === null ? [] : JSON.parse(readFileSync(order.tokensFile, 'utf8')) as string[]
      plan = { ...order.crowd, tokens }
      return open(plan)
    }
    case 'publish':
      return publish(order.plan, connections, sink)
    case 'pace':
      return pace(order.plan, connections, sink)
    case 'storm':
      drop()
      return open({ ...plan!, concurrency: plan!.count })
    case 'drop':
      drop()
      return null
  }
}

async function open (crowd: CrowdPlan): Promise<{ seconds: number }> {
  const began = performance.now()
  connections = await openCrowd(crowd, sink)
  return { seconds: (performance.now() - began) / 1000 }
}

function drop (): void {
  for (const connection of connections) connection.drop()
  connections = []
}

process.on('message', async (order: Order) => {
  try {
    process.send!({ result: await Promise.race([execute(order), trouble]) } satisfies Reply)
  } catch (error) {
    process.send!({ error: (error as Error).message } satisfies Reply)
  }
})
process.on('disconnect', () => process.exit())
