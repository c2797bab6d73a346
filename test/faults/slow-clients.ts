import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { startCluster, startProcesses } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import type { Stage } from './scope.ts'

const MEGABYTE = 1_000_000
/** Milliseconds. A 99th percentile up to this always passes, because the machine alone causes as much delay. */
const NOISE_MS = 10
/** Milliseconds between two looks at the user list, which changes after seconds only. */
const POLL_MS = 100

/**
 * G6. One of many readers of a busy channel stops reading: it is cut off as a slow consumer, while the memory of the server and the
 * delivery times of the others stay the same. `bytes`: of messages per second. `seconds`: without, and again with the stalled reader.
 */
export async function slowReader (stage: Stage, { readers, bytes, seconds }: {
  readers: number, bytes: number, seconds: number
}): Promise<Outcome> {
  const report = createReport()
  const cluster = await startProcesses(stage, report, { faults: [undefined] })
  const { ledger, instances: [server] } = cluster
  const [writer, measured, stalled] = await cluster.enter(3, ['room'])
  const others = await cluster.enter(readers - 2, ['room'])
  // If this process parsed every frame of every reader, it would be slow itself.
  for (const { socket } of others) {
    socket.removeAllListeners('message')
    socket.on('message', () => {})
  }
  const text = 'x'.repeat(3800)
  const load = startLoad(ledger, { writers: [writer!], channels: ['room'], rate: bytes / 4000, text })
  await sleep(seconds * 1000)
  const lagsBefore = ledger.lagsOf(measured!)
  const memory = residentMegabytes(server.pid)

  const { port } = server
  stalled!.socket.pause()
  let peak = memory
  const watch = setInterval(() => { peak = Math.max(peak, residentMegabytes(server.pid)) }, 100)
  const watcherSees = async (): Promise<boolean> => {
    await sleep(POLL_MS)
    const { users } = await measured!.request({ type: 'user_list', channel: 'room' })
    return !users.some(({ user_id }: { user_id: string }) => user_id === stalled!.member.id)
  }
  await eventually(watcherSees, 30_000).catch(() => report.problem('the stalled reader is still there after 30 s'))
  await sleep(seconds * 1000)
  clearInterval(watch)
  await load.stop()
  stalled!.socket.resume()
  await eventually(() => stalled!.ended).catch(() => report.problem('the stalled reader was not closed'))
  const { code } = stalled!.ended ?? { code: 0 }
  report.figure('closed_with', code)
  if (code !== 4400 && code !== 1006) report.problem(`the stalled reader was closed with ${code}`)

  const [before, after] = [p99(lagsBefore), p99(ledger.lagsOf(measured!).slice(lagsBefore.length))]
  report.figure('p99_before_ms', before)
  report.atMost('p99_with_stalled_ms', after, Math.max(2 * before, NOISE_MS))
  report.atMost('memory_grown_mb', peak - memory, 64)
  report.equal('others_open', others.filter(({ open }) => open).length, others.length)
  // The stalled reader reconnects and, if it could resume, has everything.
  await stalled!.connect(port)
  await ledger.settle([writer!, measured!, ...stalled!.unrecovered === 0 ? [stalled!] : []], 60_000)
  return report.outcome()
}

/** G7. A client freezes without closing its connection: it is out of `user_list` within 45 s, and one `user_left` is sent. */
export async function frozenClient (stage: Stage, { env = {} }: { env?: Record<string, string> }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report, { env })
  const [stays] = await cluster.enter(1, ['room'], [cluster.instances[0].port])
  const [frozen] = await cluster.enter(1, ['room'], [cluster.instances[1].port])
  const wasTold = (type: string): number =>
    stays!.notices.filter(notice => notice.type === type && notice.user_id === frozen!.member.id).length
  await eventually(() => wasTold('user_joined') === 1)
  // Freeze at the worst moment: the client has just shown that it is alive.
  await once(frozen!.socket, 'ping')
  await new Promise(resolve => setImmediate(resolve))
  const began = performance.now()
  frozen!.socket.pause()
  await eventually(async () => {
    await sleep(POLL_MS)
    return (await stays!.request({ type: 'user_list', channel: 'room' })).count === 1
  }, 60_000)
    .catch(() => report.problem('still listed after 60 s'))
  report.atMost('gone_after_ms', performance.now() - began, 45_000)
  await eventually(() => wasTold('user_left') >= 1).catch(() => {})
  report.equal('user_left', wasTold('user_left'), 1)
  report.equal('others_open', stays!.open ? 1 : 0, 1)
  return report.outcome()
}

/** Megabytes of memory that a process holds; 0 if the process has ended and its parent has not noticed yet. */
export function residentMegabytes (pid: number): number {
  const [, kilobytes = 0] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024 / MEGABYTE
}

function p99 (values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? NaN
}
