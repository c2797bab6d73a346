/** What a waiting frame takes besides its bytes. */
const FRAME_OVERHEAD = 200

/**
 * What the inboxes of all connections may hold together, in bytes [P53]. An inbox takes another frame only while it holds less than is
 * still free: so those that hold most stop first, and one that holds nothing takes a frame as long as anything is free at all.
 */
export class InboxBudget {
  readonly #limit: number
  #used = 0

  constructor (limit: number) {
    this.#limit = limit
  }

  get used (): number { return this.#used }

  /** Whether an inbox that holds `own` bytes may take another frame. */
  hasRoom (own: number): boolean { return own < this.#limit - this.#used }

  /** What this frame counts for. */
  costOf (frame: Buffer): number { return frame.length + FRAME_OVERHEAD }

  /** So many bytes more are held, or fewer. */
  add (bytes: number): void { this.#used += bytes }
}
