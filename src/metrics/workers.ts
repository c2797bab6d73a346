import cluster from 'node:cluster'
import { AggregatorRegistry, type Registry } from 'prom-client'
import { AppError } from '../errors.ts'
import type { MetricsText } from '../routes/metrics.ts'

/** Messages between a worker that is asked for metrics and the primary, which asks all workers for theirs. */
type Message = { type: 'parley:metrics?', id: number } | { type: 'parley:metrics', id: number, text: string | null }

/** Milliseconds that a worker waits for the primary, which waits 5 s for its workers. */
const PATIENCE = 6000
/** Number of requests that this worker has sent to the primary. */
let asked = 0

/**
 * In the primary: returns the sum of all workers' metrics, and sends it to each worker that asks. Rejects with `unavailable` if a worker
 * does not answer, for example at its start: a sum without that worker would look like a loss.
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

/** In a worker: sends this process's metrics to the primary whenever it asks. */
export function offerMetrics (registry: Registry): void {
  AggregatorRegistry.setRegistries(registry)
  // The constructor begins to listen for the primary's requests.
  Reflect.construct(AggregatorRegistry, [])
}

/** In a worker: asks the primary for the sum of all workers' metrics. Rejects with `unavailable`. */
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
