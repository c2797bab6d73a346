/** Whoever waits for a turn. */
export interface Waiter { takeTurn (): void }

/** Milliseconds of turns in one turn of the event loop. */
const SLICE_MS = 2

/**
 * Shares out what takes long: those who wait are served in order of arrival, a few milliseconds' worth in each turn of the event loop, so
 * that everybody else's small frames are read in between. 60 frames of 64 KiB that come at once take up to 0.4 s to parse [P53].
 */
export class Turns {
  #waiting: Waiter[] = []

  /** Has `takeTurn` called once, later. */
  await (waiter: Waiter): void {
    this.#waiting.push(waiter)
    if (this.#waiting.length === 1) setImmediate(this.#serve)
  }

  readonly #serve = (): void => {
    const end = performance.now() + SLICE_MS
    let served = 0
    // One who takes a turn may ask for the next, and is served again after those who wait already.
    while (served < this.#waiting.length && performance.now() < end) this.#waiting[served++]!.takeTurn()
    this.#waiting = this.#waiting.slice(served)
    if (this.#waiting.length > 0) setImmediate(this.#serve)
  }
}
