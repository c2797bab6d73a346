/** An object that waits for a turn. */
export interface Waiter { takeTurn (): void }

/** Milliseconds that waiters may use in one turn of the event loop. */
const SLICE_MS = 2

/**
 * Spreads long work over several turns of the event loop. It serves waiters in order of arrival, for a few milliseconds in each turn of the
 * event loop, so that small frames are read in between. 60 frames of 64 KiB that arrive at once take up to 0.4 s to parse [P53].
 */
export class Turns {
  #waiting: Waiter[] = []

  /** Queues the waiter: `takeTurn` is called once, later. */
  await (waiter: Waiter): void {
    this.#waiting.push(waiter)
    if (this.#waiting.length === 1) setImmediate(this.#serve)
  }

  readonly #serve = (): void => {
    const end = performance.now() + SLICE_MS
    let served = 0
    // A waiter may ask for another turn during its turn. It is then served after the others that wait.
    while (served < this.#waiting.length && performance.now() < end) this.#waiting[served++]!.takeTurn()
    this.#waiting = this.#waiting.slice(served)
    if (this.#waiting.length > 0) setImmediate(this.#serve)
  }
}
