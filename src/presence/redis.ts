import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { resolvesWithin } from '../deadline.ts'
import { createLink, openConnection, repeat, type Logger } from '../redis.ts'
import { findServer } from '../redis-servers.ts'
import type { RedisSettings } from '../redis-settings.ts'
import { createEntries, delayOf, infoOf, type Step } from './entries.ts'
import { createEvictionWarning } from './eviction.ts'
import type { Announce, Presence, PresentChannel } from './presence.ts'
import { defineScripts, EPOCH_LENGTH, parseEntry, type StepResult, type StoredEntry } from './scripts.ts'
import { sweep } from './sweep.ts'

export interface RedisPresenceDeps extends RedisSettings {
  /** Seconds that a command may take. Presence allows at most 2, because it must not wait for a stopped server. */
  pool_timeout: number
  prefix: string
  announce: Announce
  logger: Logger
  /** Milliseconds after which an instance that does not renew its lease counts as dead. */
  lease?: number
  /** Milliseconds between two renewals of the lease, and between two searches for dead instances. */
  renew?: number
  /** Milliseconds that a departure waits for a return. */
  coalesce?: number
  /** Milliseconds that instances have to enter their users again after Redis lost data, and between two times that they do so. */
  grace?: number
}

interface OpenPresence {
  redis: Redis
  generation: number
  membership: Membership
  /** This instance joins again, and sends no changes meanwhile. */
  isJoining: boolean
  /** Time before which no instance counts as dead: after an outage of Redis, the other instances too have to renew their leases first. */
  reapAfter: number
  signal: AbortSignal
  lost (error: Error): void
}

/** The answer that this instance gets when it joins an epoch. */
interface Membership {
  epoch: string
  own: Map<string, StoredEntry>
  /** Other instances took over entries of this instance, because its lease had expired. */
  isReaped: boolean
  /** Milliseconds for which other instances may still have to enter their users again. */
  hold: number
}

/** In place of a channel: every user with an authenticated connection is online in it [P46]. No channel has this id. */
const EVERYWHERE: PresentChannel = { id: 'everywhere', name: '' }
const STEPS_PER_COMMAND = 250
/** Commands that are under way at most: Redis performs them one after another, and each of them may take as long as a command may. */
const COMMANDS_AT_ONCE = 8
const REAPED_PER_COMMAND = 200
const CHANNELS_PER_COMMAND = 500
/** Number of renewals after which an instance looks again whether Redis still has the keys of its channels. */
const RENEWALS_PER_CHECK = 5
/** Milliseconds after which another instance removes the keys of earlier epochs if the one that began has not finished, though it lives. */
const SWEEP_TIMEOUT_MS = 600_000
/** Milliseconds for which Redis remembers that an instance's entries were taken over, in case it was only frozen. */
const TOMBSTONE_MS = 86_400_000
const CLOSE_TIMEOUT_MS = 700

/**
 * Tracks presence across all instances that share `url` and `prefix` [P23]; while Redis is away, on this instance only [P33]. If Redis
 * loses keys, all instances enter their users again under new keys, and nobody is told of it.
 */
export function createRedisPresence ({
  pool_timeout: poolTimeout, prefix, announce, logger, lease = 15_000, renew = 1000, coalesce = 250, grace = 5000, ...settings
}: RedisPresenceDeps): Presence {
  const instance = randomBytes(8).toString('hex')
  const root = `${prefix}presence:`
  const delay = delayOf(coalesce)
  const commandTimeout = Math.min(poolTimeout * 1000, 2000)
  const warnOfEviction = createEvictionWarning(logger)
  let generations = 0
  /** The epoch that this instance joined last. */
  let epoch: string | undefined
  let scheduled = false
  let flushing: Promise<void> | undefined

  const link = createLink<OpenPresence>({
    name: 'presence',
    settings,
    logger,
    open,
    onUp: takePart,
    onDown: () => entries.wentDown(),
    // Each command has its own limit, and a new epoch may have to wait.
    openTimeout: 2000 + grace
  })
  // Redis counts as up until the first connection attempt has failed, so that changes wait for its outcome.
  let starting = true
  const entries = createEntries({ announce: tell, coalesce, isUp: () => starting || link.session !== undefined, onDirty: schedule })
  const started = link.start().then(() => {
    starting = false
    if (!link.session) entries.wentDown()
  })

  /** Announces a change in a channel. An announcement that throws must not stop the rest of its batch. */
  function tell (...announcement: Parameters<Announce>): void {
    if (announcement[1].id === EVERYWHERE.id) return
    try {
      announce(...announcement)
    } catch (err) {
      logger.warn({ err }, 'presence: an announcement threw')
    }
  }

  async function open (signal: AbortSignal, lost: (error: Error) => void): Promise<OpenPresence> {
    const redis = await openConnection(await findServer(settings, signal), signal, commandTimeout, lost)
    defineScripts(redis)
    const generation = ++generations
    const membership = await join(redis, generation, signal)
    // The nodes of a cluster usually have the same policy.
    if (settings.part?.isFirst ?? true) warnOfEviction(redis)
    keepLease(signal, lost)
    return { redis, generation, membership, isJoining: false, reapAfter: Infinity, signal, lost }
  }

  /** Joins the current epoch, or begins a new one if Redis lost data of the current one. */
  async function join (redis: Redis, generation: number, signal: AbortSignal): Promise<Membership> {
    for (;;) {
      const fresh = randomBytes(EPOCH_LENGTH / 2).toString('hex')
      const [joined, hold, isReaped, flat] = await redis.presenceJoin(root, instance, generation, epoch ?? '', lease, grace, fresh)
      if (joined !== '') {
        const own = new Map<string, StoredEntry>()
        for (let i = 0; i < flat.length; i += 2) if (flat[i] !== '') own.set(flat[i]!, parseEntry(flat[i + 1]!, joined))
        return { epoch: joined, own, isReaped: isReaped === 1, hold }
      }
      await sleep(hold, undefined, { signal })
    }
  }

  /** Joins again after Redis refused a command: this instance's lease or the epoch is over, or a key of the epoch is missing. */
  async function rejoin (session: OpenPresence): Promise<void> {
    if (session.isJoining) return
    session.isJoining = true
    try {
      session.membership = await join(session.redis, session.generation, session.signal)
      session.isJoining = false
      if (link.session === session) takePart(session)
    } catch (error) {
      session.lost(error as Error)
    }
  }

  function takePart (session: OpenPresence): void {
    const { own, isReaped, hold, epoch: joined } = session.membership
    const isFirst = epoch === undefined
    const isNew = epoch !== joined
    if (isNew && !isFirst) logger.warn({}, 'presence: Redis lost data, all users are entered again')
    if (isReaped) logger.warn({}, 'presence: this instance was silent for too long, its users counted as gone')
    epoch = joined
    session.reapAfter = performance.now() + lease
    // This instance does not know when the others join the new epoch, unless it is new itself.
    entries.joined(own, isNew ? { isReaped, hold: isFirst ? hold : grace } : undefined)
    own.clear()
    schedule()
  }

  /** Renews this instance's lease and takes over users of dead instances, on one timer, until `signal` aborts. */
  function keepLease (signal: AbortSignal, lost: (error: Error) => void): void {
    let busy = false
    let renewals = 0
    repeat(async () => {
      const session = link.session
      if (busy || !session || session.isJoining) return
      busy = true
      await tick(session, renewals++ % RENEWALS_PER_CHECK === 0).catch(lost)
      busy = false
    }, renew, signal)
  }

  async function tick (session: OpenPresence, checksChannels: boolean): Promise<void> {
    const { redis, generation, reapAfter } = session
    const channelIds = checksChannels ? entries.channels() : []
    do {
      if (!await renewLease(session, channelIds.splice(0, CHANNELS_PER_COMMAND))) return rejoin(session)
    } while (channelIds.length > 0)
    while (performance.now() >= reapAfter) {
      const reply = await redis.presenceReap(root, instance, generation, epoch!, REAPED_PER_COMMAND, TOMBSTONE_MS)
      if (!reply) return rejoin(session)
      const [taken, ...fields] = reply
      if (!taken) return
      for (let i = 0; i < fields.length; i += 2) entries.takeOver(fields[i]!, fields[i + 1]!)
      // Renew the lease before each batch: taking over all users of a large instance may take longer than a lease.
      if (!await renewLease(session)) return rejoin(session)
    }
  }

  /** Returns false if this instance has to join again, for example because the key of one of these channels is missing. */
  async function renewLease (session: OpenPresence, channelIds: string[] = []): Promise<boolean> {
    const { redis, generation } = session
    const reply = await redis.presenceRenew(root, instance, generation, epoch!, lease, SWEEP_TIMEOUT_MS, ...channelIds)
    if (reply === 2) {
      sweep({ redis, root, instance, generation, epoch: epoch!, lease })
        .catch((error: Error) => logger.warn({ reason: error.message }, 'presence: old keys could not be removed from Redis'))
    }
    return reply !== null
  }

  /** Sends all changes of an event loop turn in one batch, and one batch at a time, so that a user's changes stay in order. */
  function schedule (): void {
    if (scheduled || flushing || !link.session || link.session.isJoining) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      flushing = flush().finally(() => {
        flushing = undefined
        if (entries.pending()) schedule()
      })
    })
  }

  async function flush (): Promise<void> {
    const session = link.session
    if (!session || session.isJoining) return
    const steps = entries.take()
    while (steps.length > 0) {
      if (link.session !== session || session.isJoining) return entries.failed(steps)
      const sent: Array<Promise<void>> = []
      while (steps.length > 0 && sent.length < COMMANDS_AT_ONCE) sent.push(send(session, steps.splice(0, STEPS_PER_COMMAND)))
      await Promise.all(sent)
    }
  }

  async function send (session: OpenPresence, steps: Step[]): Promise<void> {
    const { redis, generation } = session
    const operations = steps.flatMap(({ entry, operation }) => [operation, entry.key, infoOf(entry)])
    let results: StepResult[] | null = null
    try {
      results = await redis.presenceApply(root, instance, generation, epoch!, delay, ...operations)
      if (!results) rejoin(session)
    } catch (error) {
      session.lost(error as Error)
    }
    if (results) steps.forEach((step, i) => entries.done(step, results[i]!))
    else entries.failed(steps)
  }

  /** Resolves when all changes made so far are in Redis: they are in the batch under way or in the next one. */
  async function settled (): Promise<void> {
    await started
    for (let i = 0; i < 2; i++) {
      if (scheduled) await new Promise(resolve => setImmediate(resolve))
      await flushing
    }
  }

  /** Resolves with the answer to a query; undefined when Redis cannot be reached. */
  async function ask<T> (question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    await settled()
    const session = link.session
    try {
      return session && await question(session.redis)
    } catch (error) {
      session!.lost(error as Error)
      return undefined
    }
  }

  return {
    enter: entries.enter,
    exit: entries.exit,
    async list (channelId) {
      const everywhere = await ask(redis => redis.hkeys(`${root}${epoch!}:online:${channelId}`))
      return [...new Set([...everywhere ?? [], ...entries.users(channelId)])].sort()
    },
    connect: user => entries.enter(EVERYWHERE, user),
    disconnect: user => entries.exit(EVERYWHERE, user),
    async connected (userIds) {
      const { id: everywhere } = EVERYWHERE
      const found = userIds.length === 0 ? [] : await ask(redis => redis.hmget(`${root}${epoch!}:online:${everywhere}`, ...userIds))
      return new Set(userIds.filter((id, i) => (found?.[i] ?? null) !== null || entries.users(everywhere).has(id)))
    },
    async counts (channelIds) {
      const everywhere = await ask(redis => Promise.all(channelIds.map(id => redis.hlen(`${root}${epoch!}:online:${id}`))))
      return channelIds.map((id, i) => Math.max(everywhere?.[i] ?? 0, entries.users(id).size))
    },
    get size () { return entries.size - entries.users(EVERYWHERE.id).size },
    /** Leaves it to another instance to announce the departures a moment later, unless the users have reconnected elsewhere by then. */
    async close () {
      entries.clear()
      const farewell = async () => {
        await settled()
        const session = link.session
        if (session) await session.redis.presenceRenew(root, instance, session.generation, epoch!, Math.round(lease / 5), SWEEP_TIMEOUT_MS)
      }
      // If the farewell fails, the lease expires by itself.
      await resolvesWithin(farewell(), CLOSE_TIMEOUT_MS)
      entries.close()
      await link.close()
      entries.close()
    }
  }
}
