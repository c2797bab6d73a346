/** An inbox that holds something takes more only up to this share of what is then still free. */
const SHARE = 1 / 64

/**
 * What the inboxes of all connections may hold together, in bytes [P53]. The more is held, the less one connection may hold, so that a
 * hundred connections of one account leave a fifth of it to others. A connection that holds nothing may take a frame as long as the same
 * again is free, so small frames find room when large ones do not.
 */
export class InboxBudget {
  readonly #limit: number
  #used = 0

  constructor (limit: number) {
    this.#limit = limit
  }

  get used (): number { return this.#used }

  /** Whether an inbox that holds `own` bytes may take a frame of so many. */
  hasRoom (own: number, bytes: number): boolean {
    const left = this.#limit - this.#used - bytes
    return own === 0 ? bytes <= left : own + bytes <= left * SHARE
  }

  /** So many bytes more are held, or fewer. */
  add (bytes: number): void { this.#used += bytes }
}
