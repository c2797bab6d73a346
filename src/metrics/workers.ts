import cluster from 'node:cluster'
import { AggregatorRegistry, type Registry } from 'prom-client'
import { AppError } from '../errors.ts'
import type { MetricsText } from '../routes/metrics.ts'

/** Between a worker that is asked for metrics and the primary, which asks them all. */
type Message = { type: 'parley:metrics?', id: number } | { type: 'parley:metrics', id: number, text: string | null }

/** Milliseconds; the primary waits 5 s for its workers. */
const PATIENCE = 6000
/** Questions of this worker so far. */
let asked = 0

/**
 * In the primary: the sum of all workers' metrics, for itself and for whichever worker asks. Rejects with `unavailable` where one of
 * them, at its start for example, does not answer: a sum without it would look like a loss.
 */
export function serveWorkersMetrics (): MetricsText {
  const aggregator = new AggregatorRegistry()
  const text: MetricsText = () => aggregator.clusterMetrics().catch(() => { throw new AppError('unavailable') })
  cluster.on('message', async (worker, message: Message) => {
    if (message.type !== 'parley:metrics?') return
    const answer: Message = { type: 'parley:metrics', id: message.id, text: await text().catch(() => null) }
    if (worker.isConnected()) worker.send(answer)
  })
  return text
}

/** In a worker: gives the primary this process's metrics whenever it asks. */
export function offerMetrics (registry: Registry): void {
  AggregatorRegistry.setRegistries(registry)
  // Its constructor begins to listen.
  Reflect.construct(AggregatorRegistry, [])
}

/** In a worker: asks the primary for the sum. Rejects with `unavailable`. */
export const metricsOfAll: MetricsText = () => new Promise((resolve, reject) => {
  const id = ++asked
  const timer = setTimeout(answer, PATIENCE, null)
  function onMessage (message: Message): void {
    if (message.type === 'parley:metrics' && message.id === id) answer(message.text)
  }
  function answer (text: string | null): void {
    clearTimeout(timer)
    process.off('message', onMessage)
    if (text === null) reject(new AppError('unavailable'))
    else resolve(text)
  }
  process.on('message', onMessage)
  process.send!({ type: 'parley:metrics?', id } satisfies Message, undefined, undefined, error => { if (error) answer(null) })
})
