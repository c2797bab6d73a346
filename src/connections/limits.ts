import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'

/** How much may come at once after a pause: what the rate allows in this time. */
const CAPACITY_MS = 10_000
/** When to try again where only another connection's end can help. */
const CONNECTIONS_RETRY_MS = 5000

/** What a request costs besides a frame and its bytes. */
export type RequestCost = 'join' | 'command'

/**
 * Refusals that are answered between two ticks of the clock; what is over the limits after that waits instead [P35]. A refusal costs up to
 * 0.5 ms, because the frame is parsed.
 */
const MAX_REFUSALS = { connection: 128, user: 512, address: 2048 }
const MAX_UNAUTHENTICATED_REFUSALS = { connection: 16, address: 256 }

/** Milliseconds in which one of each is earned. `unauthenticated`: one frame of a connection that is not authenticated. */
interface Pace { frame: number, byte: number, join: number, command: number, unauthenticated: number }

/**
 * What one connection, user or address has used up. Per kind one number, the generic cell rate algorithm's: the time at which
 * the whole capacity will be there again. So nothing runs in the background, and nothing is allocated per frame.
 */
class Meter {
  /** Refusals answered since the last tick. */
  refusals = 0
  readonly #pace: Pace
  #frames = 0
  #bytes = 0
  #joins = 0
  #commands = 0
  #unauthenticated = 0

  constructor (pace: Pace) {
    this.#pace = pace
  }

  /** Milliseconds until there is enough for this frame; 0 or less: there is. */
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
    const { join, command } = this.#pace
    return (cost === 'join' ? used(now, this.#joins, join) : used(now, this.#commands, command)) - CAPACITY_MS
  }

  spendRequest (now: number, cost: RequestCost): void {
    const { join, command } = this.#pace
    if (cost === 'join') this.#joins = now + used(now, this.#joins, join)
    else this.#commands = now + used(now, this.#commands, command)
  }

  isWhole (now: number): boolean {
    return Math.max(this.#frames, this.#bytes, this.#joins, this.#commands, this.#unauthenticated) <= now
  }
}

/** A user's or an address's, shared by all its connections here. It outlives them until it is whole: to reconnect refills nothing. */
class SharedMeter extends Meter {
  connections = 0
  /** As the others' numbers. */
  upgrades = 0

  isIdle (now: number): boolean {
    return this.connections === 0 && this.upgrades <= now && this.isWhole(now)
  }
}

/** Used capacity after `cost`, in milliseconds from now. What costs more than there can ever be costs all of it. */
function used (now: number, wholeAt: number, cost: number): number {
  return Math.max(0, wholeAt - now) + Math.min(cost, CAPACITY_MS)
}

/** What one connection may do; its user's and its address's meters bind it too. */
export class Allowance extends Meter {
  readonly #limits: Limits
  readonly #address: SharedMeter
  #user: SharedMeter | null = null
  /** When the frame that was reserved may pass; 0: none was. */
  #reservedAt = 0

  constructor (limits: Limits, pace: Pace, address: SharedMeter) {
    super(pace)
    this.#limits = limits
    this.#address = address
    address.connections++
  }

  /** Milliseconds until a frame of this size may pass. 0: it passes now and is counted; one that may not costs nothing. */
  takeFrame (bytes: number): number {
    const now = this.#limits.now()
    const wait = this.#frameWait(now, bytes)
    if (wait === 0) this.#spendFrame(now, bytes)
    return wait
  }

  /**
   * Counts a frame that may not pass yet, so that its turn will come whatever others send meanwhile. Until then `isWaiting`;
   * after it, the frame passes with `takeReserved`. One frame at a time.
   */
  reserveFrame (bytes: number): void {
    const now = this.#limits.now()
    this.#reservedAt = now + this.#frameWait(now, bytes)
    this.#spendFrame(now, bytes)
  }

  get isWaiting (): boolean { return this.#reservedAt !== 0 && this.#limits.now() < this.#reservedAt }

  /** Whether a reserved frame is next. */
  takeReserved (): boolean {
    const isReserved = this.#reservedAt !== 0
    this.#reservedAt = 0
    return isReserved
  }

  /** Milliseconds until a request of this kind may pass. 0: it passes now and is counted; one that is refused costs nothing. */
  takeRequest (cost: RequestCost | undefined): number {
    if (cost === undefined) return 0
    const now = this.#limits.now()
    const meters = this.#meters()
    const wait = Math.round(Math.max(0, ...meters.map(meter => meter.waitForRequest(now, cost))))
    if (wait === 0) for (const meter of meters) meter.spendRequest(now, cost)
    return wait
  }

  /** Whether one more refusal may be answered before the next tick; it is counted. */
  takeRefusal (): boolean {
    const { connection, address } = this.#user === null ? MAX_UNAUTHENTICATED_REFUSALS : MAX_REFUSALS
    if (this.refusals >= connection || this.#address.refusals >= address) return false
    if (this.#user !== null && this.#user.refusals >= MAX_REFUSALS.user) return false
    for (const meter of this.#meters()) meter.refusals++
    return true
  }

  /** The connection speaks for this user now. @throws AppError `rate_limited` where they have as many connections as they may. */
  identify (userId: string): void {
    this.#user ??= this.#limits.admitUser(userId)
  }

  /** The connection is gone. */
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
    // Rounded: what a sum of fractions is off by must refuse nothing.
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

/** The limits of this instance's connections. `now`: milliseconds of a clock that never goes back. */
export function createLimits (config: Config['limits'], now: () => number = () => performance.now()) {
  const paces = {
    connection: paceOf(
      config.connection_frames, config.connection_bytes, config.connection_joins, config.connection_commands, config.unauthenticated_frames
    ),
    user: paceOf(config.user_frames, config.user_bytes, config.user_joins, config.user_commands, Infinity),
    address: paceOf(
      config.address_frames, config.address_bytes, config.address_joins, config.address_commands, config.address_unauthenticated_frames
    )
  }
  const upgradePace = 1000 / config.address_upgrades
  const users = new Map<string, SharedMeter>()
  const addresses = new Map<string, SharedMeter>()

  const limits = {
    now,

    /** Entries kept, for users and addresses. A dead one goes with the first `sweep` after it is whole again. */
    get size (): number { return users.size + addresses.size },

    /** Milliseconds until this address may ask for one more connection. 0: it may now, and the request is counted. */
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

    /** One more connection of this address is held by a request that is not answered yet. @returns what ends that. */
    hold (address: string): () => void {
      const meter = meterOf(addresses, address, paces.address)
      meter.connections++
      return () => { meter.connections-- }
    },

    /** A connection from this address is open. */
    connect: (address: string): Allowance => new Allowance(limits, paces.connection, meterOf(addresses, address, paces.address)),

    /** @throws AppError `rate_limited` */
    admitUser (userId: string): SharedMeter {
      const meter = meterOf(users, userId, paces.user)
      if (meter.connections >= config.user_connections) throw new AppError('rate_limited', { retryAfterMs: CONNECTIONS_RETRY_MS })
      meter.connections++
      return meter
    },

    /** The clock's tick: deletes meters that are idle and fully refilled, and lets the others refuse anew. */
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

/** Of limits a second. */
function paceOf (frames: number, bytes: number, joins: number, commands: number, unauthenticated: number): Pace {
  return { frame: 1000 / frames, byte: 1000 / bytes, join: 1000 / joins, command: 1000 / commands, unauthenticated: 1000 / unauthenticated }
}
