import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import WebSocket from 'ws'
import { atMost, type Bench, type Case, type Figures, type Run, type Target } from '../case.ts'
import type { FloodKind, FloodPlan } from '../load/flood.ts'
import { cpuOf } from '../proc.ts'
import { contenders, type Server } from '../servers.ts'

const CHANNEL = 'control'
/** Messages per second from one control connection to the other. */
const RATE = 20
/** Seconds of flooding before measuring. They use up the ten seconds' worth of frames that every limit allows at once. */
const ONSET = 5
/** Seconds to wait for the last messages. */
const PATIENCE = 30

interface Flood { row: string, kind: FloodKind, connections: number, isUser: boolean }

const QUIET = 'quiet'
const floods: Flood[] = [
  { row: 'nested JSON, not authenticated', kind: 'nested', connections: 6, isUser: false },
  { row: 'pings, not authenticated', kind: 'pings', connections: 6, isUser: false },
  { row: 'pongs, not authenticated', kind: 'pongs', connections: 6, isUser: false },
  { row: '64 KiB channel_list, 60 connections of one account', kind: 'lists', connections: 60, isUser: true }
]

/** Measures how floods from other clients delay the messages between two clients. */
export const flooded: Case = {
  name: 'floods',
  title: 'A message beside floods',
  conditions: [
    `One connection sends ${RATE} messages/s to another, with and without others that write as fast as the server reads.`,
    'Default limits, one client address. Closed connections reconnect at once. The floods come from another process on the same machine.',
    'Latency is the time from sending to receiving, including the database.'
  ],
  columns: [
    { key: 'latency_p50_ms', title: 'p50 ms', digits: 1 },
    { key: 'latency_p99_ms', title: 'p99 ms', digits: 1 },
    { key: 'latency_max_ms', title: 'max ms', digits: 0 },
    { key: 'server_cores', title: 'server cores', digits: 2 }
  ],
  async measure (bench) {
    const runs: Run[] = []
    for (let round = 1; round <= bench.timing.rounds; round++) {
      for (const flood of [undefined, ...floods]) {
        const row = flood?.row ?? QUIET
        const figures = await bench.withServer(contenders.parleyLimited, server => measureOne(bench, server, flood))
        bench.progress(`${row}: p50 ${figures.latency_p50_ms!.toFixed(1)} ms`)
        runs.push({ row, round, figures })
      }
    }
    return runs
  },
  judge: medians => {
    const p50 = (row: string): number => medians.get(row)!.latency_p50_ms!
    const most = 3 * p50(QUIET) + 2
    return floods.map(({ row }): Target => atMost(`p50 beside ${row}, at most 3 × quiet + 2 ms`, p50(row), most, most, 'ms'))
  }
}

async function measureOne (bench: Bench, { ports: [port], pids: [pid] }: Server, flood: Flood | undefined): Promise<Figures> {
  const tokens = JSON.parse(readFileSync(bench.databases.tokensFile, 'utf8')) as string[]
  const [sender, reader] = await Promise.all([enter(port!, tokens[0]!), enter(port!, tokens[1]!)])
  const plan: FloodPlan | undefined = flood && {
    port: port!, kind: flood.kind, connections: flood.connections, token: flood.isUser ? tokens[2]! : ''
  }
  const flooder = plan && bench.start('load/flood', { env: { FLOOD: JSON.stringify(plan) } })
  try {
    await bench.pause(bench.timing.warmUp + ONSET)
    const before = { cpu: cpuOf(pid!), at: performance.now() }
    const latencies = await exchange(bench, sender, reader)
    const seconds = (performance.now() - before.at) / 1000
    const sorted = latencies.toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
    return {
      messages: sorted.length,
      latency_p50_ms: at(0.5),
      latency_p99_ms: at(0.99),
      latency_max_ms: at(1),
      server_cores: (cpuOf(pid!) - before.cpu) / seconds
    }
  } finally {
    await flooder?.stop()
    sender.terminate()
    reader.terminate()
  }
}

/** Opens a connection that is authenticated and joins the channel. */
async function enter (port: number, token: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/websocket`)
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'authenticate', token }))
  socket.send(JSON.stringify({ type: 'join_channel', channel: CHANNEL }))
  // A single listener handles all replies, because several frames may arrive in one segment.
  await new Promise<void>((resolve, reject) => {
    socket.on('close', code => reject(new Error(`the control pair: closed with ${code}`))).on('message', data => {
      const { type, action, code } = JSON.parse(String(data))
      if (type === 'error') reject(new Error(`the control pair: ${code}`))
      if (action === 'channel_joined') resolve()
    })
  })
  return socket
}

/** Sends messages during the measured time. @returns the milliseconds that each took. @throws Error if a message is not received. */
async function exchange ({ timing, pause }: Bench, sender: WebSocket, reader: WebSocket): Promise<number[]> {
  const latencies: number[] = []
  reader.on('message', data => {
    const { type, message } = JSON.parse(String(data))
    if (type === 'message') latencies.push(performance.now() - Number(message))
  })
  const count = timing.measure * RATE
  for (let i = 0; i < count; i++) {
    sender.send(JSON.stringify({ type: 'send_message', channel: CHANNEL, message: String(performance.now()) }))
    await pause(1 / RATE)
  }
  for (let waited = 0; latencies.length < count && waited < PATIENCE; waited++) await pause(1)
  if (latencies.length < count) throw new Error(`${count - latencies.length} messages of the control pair were not received`)
  return latencies
}
