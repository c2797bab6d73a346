// The process of the clients that are measured: all of one kind, in one channel of one server. It carries out the orders of its parent, one
// at a time, and answers each.
import { setTimeout as delay } from 'node:timers/promises'
import { countRequests } from './requests.ts'
import { kinds, type KindName } from './kinds.ts'

/** `open`: opens so many clients. `receive`: waits until the first client has message number `to`. `returns`: waits until all are back. */
export type Order = { do: 'open', count: number } | { do: 'receive', to: number } | { do: 'away' } | { do: 'returns', within: number }

/** `returned` and `asked` are the milliseconds, since `away`, at which clients were back and at which requests were made. */
export interface Answer { cpu?: number, returned?: number[], asked?: number[] }

interface Client { isReady: boolean, returned?: number, seq: number, received?: { to: number, done: () => void } }

const { KIND, PORT } = process.env as { KIND: KindName, PORT: string }
const requests = countRequests()
const clients: Client[] = []
let awayAt = 0

/** Resolves when the client has joined. */
function open (): Promise<void> {
  const client: Client = { isReady: false, seq: 0 }
  clients.push(client)
  return new Promise(resolve => kinds[KIND](Number(PORT), {
    ready () {
      if (client.isReady) return
      client.isReady = true
      client.returned = performance.now()
      resolve()
    },
    lost () { client.isReady = false },
    received (seq) {
      client.seq = seq
      if (client.received && seq >= client.received.to) client.received.done()
    }
  }))
}

/** CPU seconds of this process until the first client has received this message. */
async function receive (to: number): Promise<number> {
  const client = clients[0]!
  const before = process.cpuUsage()
  if (client.seq < to) await new Promise<void>(resolve => { client.received = { to, done: resolve } })
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

async function allBack (within: number): Promise<Answer> {
  const end = performance.now() + within
  const missing = (): number => clients.filter(({ isReady, returned = 0 }) => !isReady || returned < awayAt).length
  while (missing() > 0) {
    if (performance.now() > end) throw new Error(`${missing()} clients are not back after ${within} ms`)
    await delay(50)
  }
  const since = (at: number): number => at - awayAt
  return { returned: clients.map(({ returned = 0 }) => since(returned)), asked: requests.filter(at => at > awayAt).map(since) }
}

async function carryOut (order: Order): Promise<Answer> {
  if (order.do === 'open') await Promise.all(Array.from({ length: order.count }, open))
  if (order.do === 'away') awayAt = performance.now()
  if (order.do === 'receive') return { cpu: await receive(order.to) }
  if (order.do === 'returns') return allBack(order.within)
  return {}
}

// Some packages reject promises that nobody can catch while their server is away.
process.on('unhandledRejection', () => {})
process.on('message', async (order: Order) => {
  try {
    process.send!(await carryOut(order))
  } catch (error) {
    process.send!({ error: (error as Error).message })
  }
})
