import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Envelope } from './codec.ts'

/** How much may come at once after a pause: what the rate allows in this time. */
const CAPACITY_MS = 10_000
/** When to try again where only another connection's end can help. */
const CONNECTIONS_RETRY_MS = 5000

/** What a frame costs besides a frame and its bytes. */
type FrameKind = 'join' | 'command' | 'other'

/** Milliseconds in which one frame, byte, join or command is earned. */
interface Pace { frame: number, byte: number, join: number, command: number }

/**
 * What one connection, user or address has used up. Per kind one number, the generic cell rate algorithm's: the time at which
 * the whole capacity will be there again. So nothing runs in the background, and nothing is allocated per frame.
 */
class Meter {
  readonly #pace: Pace
  #frames = 0
  #bytes = 0
  #joins = 0
  #commands = 0

  constructor (pace: Pace) {
    this.#pace = pace
  }

  /** Milliseconds until there is enough for this frame; 0 or less: there is. */
  wait (now: number, kind: FrameKind, bytes: number): number {
    const { frame, byte, join, command } = this.#pace
    const wait = Math.max(used(now, this.#frames, frame), used(now, this.#bytes, bytes * byte)) - CAPACITY_MS
    if (kind === 'join') return Math.max(wait, used(now, this.#joins, join) - CAPACITY_MS)
    if (kind === 'command') return Math.max(wait, used(now, this.#commands, command) - CAPACITY_MS)
    return wait
  }

  spend (now: number, kind: FrameKind, bytes: number): void {
    const { frame, byte, join, command } = this.#pace
    this.#frames = now + used(now, this.#frames, frame)
    this.#bytes = now + used(now, this.#bytes, bytes * byte)
    if (kind === 'join') this.#joins = now + used(now, this.#joins, join)
    if (kind === 'command') this.#commands = now + used(now, this.#commands, command)
  }

  isWhole (now: number): boolean {
    return this.#frames <= now && this.#bytes <= now && this.#joins <= now && this.#commands <= now
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

  constructor (limits: Limits, pace: Pace, address: SharedMeter) {
    super(pace)
    this.#limits = limits
    this.#address = address
    address.connections++
  }

  /** Milliseconds until a frame of this kind and size may pass. 0: it passes now and is counted; one that is refused costs nothing. */
  take (kind: FrameKind, bytes: number): number {
    const now = this.#limits.now()
    // Rounded: what a sum of fractions is off by must refuse nothing.
    const wait = Math.round(Math.max(
      this.wait(now, kind, bytes),
      this.#address.wait(now, kind, bytes),
      this.#user === null ? 0 : this.#user.wait(now, kind, bytes)
    ))
    if (wait > 0) return wait
    this.spend(now, kind, bytes)
    this.#address.spend(now, kind, bytes)
    this.#user?.spend(now, kind, bytes)
    return 0
  }

  /** The connection speaks for this user now. @throws AppError `rate_limited` where he has as many connections as he may. */
  identify (userId: string): void {
    this.#user ??= this.#limits.admitUser(userId)
  }

  /** The connection is gone. */
  release (): void {
    this.#address.connections--
    if (this.#user !== null) this.#user.connections--
  }
}

export type Limits = ReturnType<typeof createLimits>

/** The limits of this instance's connections. `now`: milliseconds of a clock that never goes back. */
export function createLimits (config: Config['limits'], now: () => number = () => performance.now()) {
  const paces = {
    connection: paceOf(config.connection_frames, config.connection_bytes, config.connection_joins, config.connection_commands),
    user: paceOf(config.user_frames, config.user_bytes, config.user_joins, config.user_commands),
    address: paceOf(config.address_frames, config.address_bytes, config.address_joins, config.address_commands)
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

    /** Forgets whom there is nothing to remember of. To be called every few seconds. */
    sweep (): void {
      const time = now()
      for (const meters of [users, addresses]) for (const [key, meter] of meters) if (meter.isIdle(time)) meters.delete(key)
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
function paceOf (frames: number, bytes: number, joins: number, commands: number): Pace {
  return { frame: 1000 / frames, byte: 1000 / bytes, join: 1000 / joins, command: 1000 / commands }
}

/** Which limit binds a frame besides that of all frames. */
export function kindOf ({ type, command }: Envelope): FrameKind {
  return command !== undefined ? 'command' : type === 'join_channel' ? 'join' : 'other'
}
