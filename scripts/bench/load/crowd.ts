import { Connection, type Sink } from './connection.ts'
import { dialects, type DialectName } from './dialects.ts'

export interface CrowdPlan {
  dialect: DialectName
  /** One port per instance of the server. The connections use them in turn, or, if `together`, in blocks of consecutive ones. */
  ports: number[]
  together?: boolean
  count: number
  /** Each channel gets the same number of consecutive connections. */
  channels: string[]
  /** Further lists of channels, distributed like `channels`: each connection also joins one channel of each list, but publishes to none. */
  otherChannels?: string[][]
  /** One token per connection; empty if the server requires none. */
  tokens: string[]
  /** How many connections are opened at the same time. */
  concurrency: number
}

/** Milliseconds without progress after which opening fails. */
const PATIENCE = 60_000
/** Connections from one local address: well below the number of ports that the system assigns per address. */
const PER_ADDRESS = 20_000

/** Opens the planned connections. Resolves when all of them are upgraded, authenticated and joined. */
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

function targetOf ({ dialect, ports, together = false, channels, otherChannels = [], count, tokens }: CrowdPlan, i: number) {
  const shareOf = <T>(list: T[]): T => list[Math.floor(i * list.length / count)]!
  return {
    dialect: dialects[dialect],
    port: together ? shareOf(ports) : ports[i % ports.length]!,
    channel: shareOf(channels),
    otherChannels: otherChannels.map(shareOf),
    token: tokens[i] ?? '',
    localAddress: i < PER_ADDRESS ? undefined : `127.0.0.${1 + Math.floor(i / PER_ADDRESS)}`
  }
}
