import type { HubDeps } from './hub.ts'

/** Something that acts at the end of a turn of the event loop. */
export interface Flushable { readonly id: string, flush (): void }

/** Flushes sessions at the end of a turn of the event loop, so that each socket gets one write. */
export class Flusher {
  readonly #deps: Pick<HubDeps, 'traffic' | 'onFault'>
  #dirty: Flushable[] = []
  /** When the oldest message of each run of entries that leaves with the next flush was queued. */
  #runs: number[] = []

  constructor (deps: Pick<HubDeps, 'traffic' | 'onFault'>) {
    this.#deps = deps
  }

  schedule (target: Flushable): void {
    this.#dirty.push(target)
    if (this.#dirty.length === 1) setImmediate(this.#flush)
  }

  /** Measures a run only if a session waits for a flush; otherwise no session received the run. */
  readonly onDelivered = (queuedAt: number): void => {
    if (this.#dirty.length > 0) this.#runs.push(queuedAt)
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty
    const runs = this.#runs
    this.#dirty = []
    this.#runs = []
    for (const target of dirty) {
      try {
        target.flush()
      } catch (error) {
        this.#deps.onFault(error, { connection: target.id })
      }
    }
    const now = performance.now()
    for (const queuedAt of runs) this.#deps.traffic.delivery.observe((now - queuedAt) / 1000)
  }
}
