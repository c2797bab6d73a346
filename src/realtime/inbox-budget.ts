/**
 * What the inboxes of all connections may hold together, in bytes [P53]. An inbox takes a frame only if it then holds no more than is
 * still free. So the inboxes that hold most stop first, some room is always left, and large frames have to wait before small ones do.
 */
export class InboxBudget {
  readonly #limit: number
  #used = 0

  constructor (limit: number) {
    this.#limit = limit
  }

  get used (): number { return this.#used }

  /** Whether an inbox that holds `own` bytes may take a frame of so many. */
  hasRoom (own: number, bytes: number): boolean { return own + bytes <= this.#limit - this.#used - bytes }

  /** So many bytes more are held, or fewer. */
  add (bytes: number): void { this.#used += bytes }
}
