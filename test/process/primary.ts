// A primary that runs the server as PM2 5 to 7 does in cluster mode (lib/God/ClusterMode.js): it forks another module, which imports the
// server, it passes no message on, and it keeps the port open for all workers. Over IPC it reports each worker's end and what it says, and
// obeys `fork` and `{ pid, message }`.
import cluster, { type Worker } from 'node:cluster'
import { join } from 'node:path'

export type Report = { pid: number, says: unknown } | { pid: number, ended: { code: number, signal: string | null } }
export type Order = 'fork' | { pid: number, message: string }

cluster.setupPrimary({ exec: join(import.meta.dirname, 'container.js'), args: [] })

process.on('message', (order: Order) => {
  if (order === 'fork') {
    const worker = cluster.fork()
    worker.on('message', (says: unknown) => report({ pid: worker.process.pid!, says }))
    worker.on('exit', (code, signal) => report({ pid: worker.process.pid!, ended: { code, signal } }))
  } else {
    workerOf(order.pid).send(order.message)
  }
})
process.once('disconnect', () => process.exit())

function workerOf (pid: number): Worker {
  return Object.values(cluster.workers ?? {}).find(worker => worker?.process.pid === pid)!
}

function report (report: Report): void {
  if (process.connected) process.send!(report)
}
