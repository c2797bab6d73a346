import { Connection, type Sink } from './connection.ts'
import { dialects, type DialectName } from './dialects.ts'

export interface CrowdPlan {
  dialect: DialectName
  /** Connections take turns on them: one per instance of the server. */
  ports: number[]
  count: number
  /** Each gets an equal run of the connections. */
  channels: string[]
  /** One per connection, where the server asks for one. */
  tokens: string[]
  /** How many are being opened at any time. */
  concurrency: number
}

/** Milliseconds that opening may take without any progress. */
const PATIENCE = 60_000
/** Connections from one address: well under the range of ports that the system gives out. */
const PER_ADDRESS = 20_000

/** Opens the planned connections, each through upgrade, authentication and join. */
export function openCrowd (plan: CrowdPlan, sink: Sink): Promise<Connection[]> {
  const connections: Connection[] = []
  const { count, concurrency } = plan
  let joined = 0
  return new Promise((resolve, reject) => {
    const watchdog = setTimeout(() => {
      reject(new Error(`only ${joined} of ${count} connections have joined, and none for ${PATIENCE / 1000} s`))
    }, PATIENCE)
    function open (): void {
      connections.push(new Connection(targetOf(plan, connections.length), sink, onJoined))
    }
    function onJoined (): void {
      joined++
      watchdog.refresh()
      if (connections.length < count) return open()
      if (joined < count) return
      clearTimeout(watchdog)
      resolve(connections)
    }
    for (let i = 0; i < Math.min(count, concurrency); i++) open()
  })
}

function targetOf ({ dialect, ports, channels, count, tokens }: CrowdPlan, i: number) {
  return {
    dialect: dialects[dialect],
    port: ports[i % ports.length]!,
    channel: channels[Math.floor(i * channels.length / count)]!,
    token: tokens[i] ?? '',
    localAddress: i < PER_ADDRESS ? undefined : `127.0.0.${1 + Math.floor(i / PER_ADDRESS)}`
  }
}
