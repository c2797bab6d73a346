import type { Config } from '../config-schema.ts'
import { AppError } from '../errors.ts'

/** After a pause, a client may spend at once what its rate allows in this many milliseconds. */
const CAPACITY_MS = 10_000
/** The `retry_after_ms` of a refusal that only the end of another connection can lift. */
const CONNECTIONS_RETRY_MS = 5000

/** The limit that a request counts towards, besides those of frames and bytes. */
export type RequestCost = 'join' | 'command' | 'signal'

/**
 * Most refusals that are answered between two ticks of the clock. After that, frames over the limits wait instead [P35]. A refusal costs up
 * to 0.5 ms, because the frame is parsed.
 */
const MAX_REFUSALS = { connection: 128, user: 512, address: 2048 }
const MAX_UNAUTHENTICATED_REFUSALS = { connection: 16, address: 256 }

/** Milliseconds in which a meter regains one unit of each kind. `unauthenticated`: a frame of a connection that is not authenticated. */
interface Pace { frame: number, byte: number, join: number, command: number, signal: number, unauthenticated: number }

/**
 * Counts what one connection, user or address has used, by the generic cell rate algorithm: for each kind it keeps one number, the time at
 * which the whole capacity is available again. So nothing runs in the background, and no frame allocates memory.
 */
class Meter {
  /** Refusals answered since the last tick. */
  refusals = 0
  readonly #pace: Pace
  #frames = 0
  #bytes = 0
  #joins = 0
  #commands = 0
  #signals = 0
  #unauthenticated = 0

  constructor (pace: Pace) {
    this.#pace = pace
  }

  /** Milliseconds until the limits allow this frame; 0 or less if they allow it now. */
  wait (now: number, bytes: number, isAuthenticated: boolean): number {
    const { frame, byte, unauthenticated } = this.#pace
    const wait = Math.max(used(now, this.#frames, frame), used(now, this.#bytes, bytes * byte)) - CAPACITY_MS
    return isAuthenticated ? wait : Math.max(wait, used(now, this.#unauthenticated, unauthenticated) - CAPACITY_MS)
  }

  spend (now: number, bytes: number, isAuthenticated: boolean): void {
    const { frame, byte, unauthenticated } = this.#pace
    this.#frames = now + used(now, this.#frames, frame)
    this.#bytes = now + used(now, this.#bytes, bytes * byte)
    if (!isAuthenticated) this.#unauthenticated = now + used(now, this.#unauthenticated, unauthenticated)
  }

  waitForRequest (now: number, cost: RequestCost): number {
    return this.#usedBy(now, cost) - CAPACITY_MS
  }

  spendRequest (now: number, cost: RequestCost): void {
    const wholeAt = now + this.#usedBy(now, cost)
    if (cost === 'join') this.#joins = wholeAt
    else if (cost === 'command') this.#commands = wholeAt
    else this.#signals = wholeAt
  }

  /** The capacity for requests of this kind that is in use after one more, in milliseconds. */
  #usedBy (now: number, cost: RequestCost): number {
    const { join, command, signal } = this.#pace
    if (cost === 'join') return used(now, this.#joins, join)
    return cost === 'command' ? used(now, this.#commands, command) : used(now, this.#signals, signal)
  }

  isWhole (now: number): boolean {
    return Math.max(this.#frames, this.#bytes, this.#joins, this.#commands, this.#signals, this.#unauthenticated) <= now
  }
}

/** The meter of a user or an address, shared by its connections to this instance. It is kept until refilled: reconnecting gains nothing. */
class SharedMeter extends Meter {
  connections = 0
  /** The time at which the whole capacity for upgrades is available again. */
  upgrades = 0

  isIdle (now: number): boolean {
    return this.connections === 0 && this.upgrades <= now && this.isWhole(now)
  }
}

/** The capacity in use after spending `cost`, in milliseconds. A cost above the whole capacity counts as the whole capacity. */
function used (now: number, wholeAt: number, cost: number): number {
  return Math.max(0, wholeAt - now) + Math.min(cost, CAPACITY_MS)
}

/** The meter of one connection, which is also bound by the meters of its user and its address. */
export class Allowance extends Meter {
  readonly #limits: Limits
  readonly #address: SharedMeter
  #user: SharedMeter | null = null
  /** When the reserved frame may pass; 0 if no frame is reserved. */
  #reservedAt = 0

  constructor (limits: Limits, pace: Pace, address: SharedMeter) {
    super(pace)
    this.#limits = limits
    this.#address = address
    address.connections++
  }

  /** Milliseconds until a frame of this size may pass. 0: the frame passes now and is counted. A frame that must wait is not counted. */
  takeFrame (bytes: number): number {
    const now = this.#limits.now()
    const wait = this.#frameWait(now, bytes)
    if (wait === 0) this.#spendFrame(now, bytes)
    return wait
  }

  /**
   * Counts a frame that must wait, so that frames of other connections cannot delay it further. `isWaiting` is true until the frame may
   * pass; `takeReserved` then lets it pass. Only one frame can be reserved at a time.
   */
  reserveFrame (bytes: number): void {
    const now = this.#limits.now()
    this.#reservedAt = now + this.#frameWait(now, bytes)
    this.#spendFrame(now, bytes)
  }

  get isWaiting (): boolean { return this.#reservedAt !== 0 && this.#limits.now() < this.#reservedAt }

  /** Returns whether the next frame was reserved, and ends the reservation. */
  takeReserved (): boolean {
    const isReserved = this.#reservedAt !== 0
    this.#reservedAt = 0
    return isReserved
  }

  /** Milliseconds until a request of this kind may pass. 0: the request passes now and is counted. A refused request is not counted. */
  takeRequest (cost: RequestCost | undefined): number {
    if (cost === undefined) return 0
    const now = this.#limits.now()
    const meters = this.#meters()
    const wait = Math.round(Math.max(0, ...meters.map(meter => meter.waitForRequest(now, cost))))
    if (wait === 0) for (const meter of meters) meter.spendRequest(now, cost)
    return wait
  }

  /** Returns whether one more refusal may be answered before the next tick. If so, it is counted. */
  takeRefusal (): boolean {
    const { connection, address } = this.#user === null ? MAX_UNAUTHENTICATED_REFUSALS : MAX_REFUSALS
    if (this.refusals >= connection || this.#address.refusals >= address) return false
    if (this.#user !== null && this.#user.refusals >= MAX_REFUSALS.user) return false
    for (const meter of this.#meters()) meter.refusals++
    return true
  }

  /** Binds the connection to the limits of its user. @throws AppError `rate_limited` if the user has too many connections. */
  identify (userId: string): void {
    this.#user ??= this.#limits.admitUser(userId)
  }

  /** Stops counting a connection that has ended. */
  release (): void {
    this.#address.connections--
    if (this.#user !== null) this.#user.connections--
  }

  #meters (): Meter[] {
    return this.#user === null ? [this, this.#address] : [this, this.#address, this.#user]
  }

  #frameWait (now: number, bytes: number): number {
    const isAuthenticated = this.#user !== null
    const wait = Math.max(this.wait(now, bytes, isAuthenticated), this.#address.wait(now, bytes, isAuthenticated))
    // Round, so that floating-point errors refuse nothing.
    return Math.max(0, Math.round(this.#user === null ? wait : Math.max(wait, this.#user.wait(now, bytes, true))))
  }

  #spendFrame (now: number, bytes: number): void {
    const isAuthenticated = this.#user !== null
    this.spend(now, bytes, isAuthenticated)
    this.#address.spend(now, bytes, isAuthenticated)
    this.#user?.spend(now, bytes, true)
  }
}

export type Limits = ReturnType<typeof createLimits>

/** The limits of this instance's connections. `now`: milliseconds of a monotonic clock. */
export function createLimits (config: Config['limits'], now: () => number = () => performance.now()) {
  const paces = {
    connection: paceOf({
      frame: config.connection_frames,
      byte: config.connection_bytes,
      join: config.connection_joins,
      command: config.connection_commands,
      signal: config.connection_signals,
      unauthenticated: config.unauthenticated_frames
    }),
    user: paceOf({ frame: config.user_frames, byte: config.user_bytes, join: config.user_joins, command: config.user_commands }),
    address: paceOf({
      frame: config.address_frames,
      byte: config.address_bytes,
      join: config.address_joins,
      command: config.address_commands,
      unauthenticated: config.address_unauthenticated_frames
    })
  }
  const upgradePace = 1000 / config.address_upgrades
  const users = new Map<string, SharedMeter>()
  const addresses = new Map<string, SharedMeter>()

  const limits = {
    now,

    /** Number of meters of users and addresses. `sweep` deletes a meter once it is refilled and has no connections. */
    get size (): number { return users.size + addresses.size },

    /** Milliseconds until this address may request one more connection. 0: it may now, and the request is counted. */
    upgrade (address: string): number {
      const meter = meterOf(addresses, address, paces.address)
      if (meter.connections >= config.address_connections) return CONNECTIONS_RETRY_MS
      const time = now()
      const after = used(time, meter.upgrades, upgradePace)
      const wait = Math.round(after - CAPACITY_MS)
      if (wait > 0) return wait
      meter.upgrades = time + after
      return 0
    },

    /** Counts an unanswered upgrade request as a connection of its address. @returns a function that ends this. */
    hold (address: string): () => void {
      const meter = meterOf(addresses, address, paces.address)
      meter.connections++
      return () => { meter.connections-- }
    },

    /** Counts a new connection from this address and returns its allowance. */
    connect: (address: string): Allowance => new Allowance(limits, paces.connection, meterOf(addresses, address, paces.address)),

    /** @throws AppError `rate_limited` */
    admitUser (userId: string): SharedMeter {
      const meter = meterOf(users, userId, paces.user)
      if (meter.connections >= config.user_connections) throw new AppError('rate_limited', { retryAfterMs: CONNECTIONS_RETRY_MS })
      meter.connections++
      return meter
    },

    /** Deletes meters that are idle and fully refilled, and resets the refusals of the others. It runs at every tick of the clock. */
    sweep (): void {
      const time = now()
      for (const meters of [users, addresses]) {
        for (const [key, meter] of meters) {
          if (meter.isIdle(time)) meters.delete(key)
          else meter.refusals = 0
        }
      }
    }
  }
  return limits
}

function meterOf (meters: Map<string, SharedMeter>, key: string, pace: Pace): SharedMeter {
  let meter = meters.get(key)
  if (meter === undefined) meters.set(key, meter = new SharedMeter(pace))
  return meter
}

/** Converts limits per second. Not every kind has a limit for users and addresses. */
function paceOf (
  { frame, byte, join, command, signal = Infinity, unauthenticated = Infinity }:
  Omit<Pace, 'signal' | 'unauthenticated'> & Partial<Pace>
): Pace {
  return {
    frame: 1000 / frame,
    byte: 1000 / byte,
    join: 1000 / join,
    command: 1000 / command,
    signal: 1000 / signal,
    unauthenticated: 1000 / unauthenticated
  }
}
