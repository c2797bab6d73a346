import { freePort } from '../../service.ts'
import { atMost, type Bench, type Case, type Figures, type Run } from '../case.ts'
import type { Answer, Order } from '../clients/process.ts'
import type { KindName } from '../clients/kinds.ts'
import { sizeOf } from '../clients/size.ts'
import type { PeerName } from '../peers/scripted-dialects.ts'
import type { Child } from '../processes.ts'
import { portOf } from '../servers.ts'

interface Contender {
  name: string
  kind: KindName
  peer: PeerName
  /** The source of a page that imports the client. */
  statement: string
}

const contenders: Contender[] = [
  { name: '@parley/client', kind: 'parley', peer: 'parley', statement: "export { createParley } from '@parley/client'" },
  { name: 'socket.io-client', kind: 'socketio', peer: 'socketio', statement: "export { io } from 'socket.io-client'" },
  { name: 'centrifuge', kind: 'centrifuge', peer: 'centrifuge', statement: "export { Centrifuge } from 'centrifuge'" },
  { name: 'ably', kind: 'ably', peer: 'ably', statement: "export { Realtime } from 'ably'" },
  { name: 'phoenix', kind: 'phoenix', peer: 'phoenix', statement: "export { Socket } from 'phoenix'" },
  { name: 'partysocket', kind: 'partysocket', peer: 'bare', statement: "export { WebSocket } from 'partysocket'" }
]

/** Messages before the measurement, while the code is compiled, and in each part of it. */
const WARM_UP = 20_000
const FLOODS = [10_000, 100_000, 200_000] as const
const CLIENTS = 500
/** Milliseconds for which the server is away, and within which all clients have to be back after that. */
const AWAY = 4000
const PATIENCE = 120_000

/** Measures the clients of Parley and of other services in Node: their size, the cost of a message, and how they come back. */
export const client: Case = {
  name: 'client',
  title: 'Clients: size, cost of a received message, reconnect storm',
  conditions: [
    'Size: what a page imports, bundled and minified by esbuild, gzip 9.',
    'CPU: of a process with one client, for each message of 250 bytes over a real socket, into a window of 1,000 messages, after',
    `${WARM_UP.toLocaleString('en-US')} others. @parley/client keeps the window itself, and its snapshot is read at every message.`,
    `Storm: a server with ${CLIENTS} clients is killed and started again ${AWAY / 1000} s later; times are since it listens.`,
    'Each client has its own defaults. Requests are all since the kill, those that found no server included.',
    "Socket.IO's server is itself. All others are scripted: they speak just enough of the protocol, store nothing and check nothing."
  ],
  columns: [
    { key: 'size_kb', title: 'KB gzip', digits: 1 },
    ...FLOODS.map(count => ({ key: keyOf(count), title: `µs of ${count / 1000}k`, digits: 2 })),
    { key: 'back_s', title: 'all back s', digits: 1 },
    { key: 'p5_s', title: 'p5 s', digits: 1 },
    { key: 'p95_s', title: 'p95 s', digits: 1 },
    { key: 'requests', title: 'requests', digits: 0 },
    { key: 'peak_per_s', title: 'most in 1 s', digits: 0 }
  ],
  async measure (bench) {
    const runs: Run[] = []
    for (let round = 1; round <= bench.timing.rounds; round++) {
      for (const contender of contenders) {
        const size = await sizeOf(contender.statement)
        const messages = await measureMessages(bench, contender)
        const storm = await measureStorm(bench, contender)
        const cost = messages[keyOf(FLOODS.at(-1)!)]!
        bench.progress(`${contender.name}: ${cost.toFixed(1)} µs a message; all back after ${storm.back_s!.toFixed(1)} s`)
        const figures: Figures = { size_kb: size / 1024, ...messages, ...storm }
        runs.push({ row: contender.name, round, figures })
      }
    }
    return runs
  },
  judge: medians => {
    const own = medians.get('@parley/client')!
    const costs = FLOODS.map(count => own[keyOf(count)]!)
    const [few, many] = [costs[0]!, costs.at(-1)!]
    return [
      atMost('CPU per message of 200,000 over that of 10,000', many / few, 1.25, 1.1),
      atMost('CPU per message over that of socket.io-client', many / medians.get('socket.io-client')![keyOf(200_000)]!, 1.5, 1),
      atMost('CPU per message over that of centrifuge', many / medians.get('centrifuge')![keyOf(200_000)]!, 1.5, 1)
    ]
  }
}

function keyOf (count: number): string {
  return `cpu_us_of_${count}`
}

/** A process with clients of this kind. Its orders reject if it cannot carry them out. */
function startClients ({ start }: Bench, kind: KindName, port: number) {
  const child = start('clients/process', { ipc: true, env: { KIND: kind, PORT: String(port) } })
  async function order (what: Order): Promise<Answer> {
    const answer = await Promise.race([
      new Promise<Answer & { error?: string }>(resolve => child.process.once('message', resolve)),
      child.ended.then(why => { throw new Error(`the clients ${why}`) }),
      Promise.resolve(child.process.send(what)).then(() => new Promise<never>(() => {}))
    ])
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }
  return { order, stop: child.stop }
}

/** Microseconds of CPU for each of so many messages. */
async function measureMessages (bench: Bench, { kind, peer }: Contender): Promise<Figures> {
  const server = bench.start('peers/scripted', { ipc: true, env: { DIALECT: peer, PORT: '0' } })
  const clients = startClients(bench, kind, await portOf(server))
  try {
    await clients.order({ do: 'open', count: 1 })
    const figures: Figures = {}
    let to = 0
    for (const count of [WARM_UP, ...FLOODS]) {
      to += count
      const received = clients.order({ do: 'receive', to })
      server.process.send({ flood: count })
      figures[keyOf(count)] = (await received).cpu! * 1e6 / count
    }
    delete figures[keyOf(WARM_UP)]
    return figures
  } finally {
    await Promise.all([clients.stop(), server.stop()])
  }
}

/** Kills the server, and starts it again on its port. */
async function measureStorm (bench: Bench, { kind, peer }: Contender): Promise<Figures> {
  const port = await freePort()
  const launch = (): Child => bench.start('peers/scripted', { env: { DIALECT: peer, PORT: String(port) } })
  let server = launch()
  const clients = startClients(bench, kind, port)
  try {
    await portOf(server)
    await clients.order({ do: 'open', count: CLIENTS })
    await bench.pause(1)
    await clients.order({ do: 'away' })
    const killed = performance.now()
    await server.stop()
    await bench.pause(AWAY / 1000)
    server = launch()
    await portOf(server)
    const away = performance.now() - killed
    const { returned = [], asked = [] } = await clients.order({ do: 'returns', within: PATIENCE })
    const sorted = returned.map(ms => Math.max(0, ms - away) / 1000).sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)]!
    return { back_s: at(1), p5_s: at(0.05), p95_s: at(0.95), requests: asked.length, peak_per_s: peakOf(asked) }
  } finally {
    await Promise.all([clients.stop(), server.stop()])
  }
}

/** The most requests within any second. */
function peakOf (times: number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  let [most, first] = [0, 0]
  for (const [i, time] of sorted.entries()) {
    while (sorted[first]! < time - 1000) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}
