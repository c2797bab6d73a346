/** An inbox that already holds something may hold at most this share of the bytes that are still free afterwards. */
const SHARE = 1 / 64

/**
 * The bytes that the inboxes of all connections may hold together [P53]. The more they hold, the less one connection may hold, so that a
 * hundred connections of one account leave a fifth of the budget to others. An inbox that holds nothing may take a frame if as many bytes
 * stay free as the frame takes, so small frames find room when large ones do not.
 */
export class InboxBudget {
  readonly #limit: number
  #used = 0

  constructor (limit: number) {
    this.#limit = limit
  }

  get used (): number { return this.#used }

  /** Returns whether an inbox that holds `own` bytes may take a frame of `bytes` bytes. */
  hasRoom (own: number, bytes: number): boolean {
    const left = this.#limit - this.#used - bytes
    return own === 0 ? bytes <= left : own + bytes <= left * SHARE
  }

  /** Counts bytes that an inbox has taken; a negative number counts bytes that it has freed. */
  add (bytes: number): void { this.#used += bytes }
}
