import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { createLink, openConnection, type Logger, type RedisSettings } from '../redis.ts'
import { createEntries, delayOf, infoOf, type Step } from './entries.ts'
import type { Announce, Presence } from './presence.ts'
import { defineScripts, type StepResult } from './scripts.ts'

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
  /** Milliseconds that instances have to enter their users again after Redis lost its data. */
  grace?: number
}

interface OpenPresence {
  redis: Redis
  generation: number
  epoch: string
  own: Map<string, string>
  /** Time before which no instance counts as dead: after an outage of Redis, the other instances too have to renew their leases first. */
  reapAfter: number
  lost (error: Error): void
}

const STEPS_PER_COMMAND = 250
const REAPED_PER_COMMAND = 200
const CLOSE_TIMEOUT_MS = 700

/** Tracks presence across all instances that share `url` and `prefix` [P23]; while Redis is away, on this instance only [P33]. */
export function createRedisPresence ({
  pool_timeout: poolTimeout, prefix, announce, logger, lease = 15_000, renew = 5000, coalesce = 250, grace = 5000, ...settings
}: RedisPresenceDeps): Presence {
  const instance = randomBytes(8).toString('hex')
  const root = `${prefix}presence:`
  const delay = delayOf(coalesce)
  const commandTimeout = Math.min(poolTimeout * 1000, 2000)
  let generations = 0
  let epoch: string | undefined
  let scheduled = false
  let flushing: Promise<void> | undefined

  const link = createLink<OpenPresence>({ name: 'presence', settings, logger, open, onUp, onDown: () => entries.wentDown() })
  // Redis counts as up until the first connection attempt has failed, so that changes wait for its outcome.
  let starting = true
  const entries = createEntries({ announce: tell, coalesce, isUp: () => starting || link.session !== undefined, onDirty: schedule })
  const started = link.start().then(() => {
    starting = false
    if (!link.session) entries.wentDown()
  })

  /** Announces a change. An announcement that throws must not stop the rest of its batch. */
  function tell (...announcement: Parameters<Announce>): void {
    try {
      announce(...announcement)
    } catch (err) {
      logger.warn({ err }, 'presence: an announcement threw')
    }
  }

  async function open (signal: AbortSignal, lost: (error: Error) => void): Promise<OpenPresence> {
    const redis = await openConnection(settings, signal, commandTimeout, lost)
    defineScripts(redis)
    const generation = ++generations
    const [epoch, flat] = await redis.presenceJoin(root, instance, generation, lease, randomBytes(8).toString('hex'))
    const own = new Map<string, string>()
    for (let i = 0; i < flat.length; i += 2) if (flat[i] !== '') own.set(flat[i]!, flat[i + 1]!)
    keepLease(signal, lost)
    return { redis, generation, epoch, own, reapAfter: performance.now() + lease, lost }
  }

  /** Renews this instance's lease and takes over users of dead instances, on one timer, until `signal` aborts. */
  function keepLease (signal: AbortSignal, lost: (error: Error) => void): void {
    let busy = false
    const timer = setInterval(async () => {
      if (busy || !link.session) return
      busy = true
      await tick(link.session).catch(lost)
      busy = false
    }, renew)
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    if (signal.aborted) clearInterval(timer)
  }

  function onUp (session: OpenPresence): void {
    const emptied = epoch !== undefined && epoch !== session.epoch
    epoch = session.epoch
    entries.cameUp(session.own, emptied, grace)
    session.own.clear()
    schedule()
  }

  async function tick ({ redis, generation, reapAfter }: OpenPresence): Promise<void> {
    for (;;) {
      // Renew the lease before each batch: taking over all users of a large instance may take longer than a lease.
      current(await redis.presenceRenew(root, instance, generation, lease))
      if (performance.now() < reapAfter) return
      const [taken, ...fields] = current(await redis.presenceReap(root, instance, generation, REAPED_PER_COMMAND))
      if (!taken) return
      for (let i = 0; i < fields.length; i += 2) entries.takeOver(fields[i]!, fields[i + 1]!)
    }
  }

  /** Sends all changes of an event loop turn in one batch, and one batch at a time, so that a user's changes stay in order. */
  function schedule (): void {
    if (scheduled || flushing || !link.session) return
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
    if (!session) return
    const steps = entries.take()
    const sent: Array<Promise<void>> = []
    for (let at = 0; at < steps.length; at += STEPS_PER_COMMAND) sent.push(send(session, steps.slice(at, at + STEPS_PER_COMMAND)))
    await Promise.all(sent)
  }

  async function send ({ redis, generation, lost }: OpenPresence, steps: Step[]): Promise<void> {
    const operations = steps.flatMap(({ entry, operation }) => [operation, entry.key, infoOf(entry)])
    let results: StepResult[]
    try {
      results = current(await redis.presenceApply(root, instance, generation, delay, ...operations))
    } catch (error) {
      lost(error as Error)
      entries.failed(steps)
      return
    }
    steps.forEach((step, i) => entries.done(step, results[i]!))
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
      const everywhere = await ask(redis => redis.hkeys(`${root}online:${channelId}`))
      return [...new Set([...everywhere ?? [], ...entries.users(channelId)])].sort()
    },
    async counts (channelIds) {
      const everywhere = await ask(redis => Promise.all(channelIds.map(id => redis.hlen(`${root}online:${id}`))))
      return channelIds.map((id, i) => Math.max(everywhere?.[i] ?? 0, entries.users(id).size))
    },
    get size () { return entries.size },
    /** Leaves it to another instance to announce the departures a moment later, unless the users have reconnected elsewhere by then. */
    async close () {
      entries.clear()
      const farewell = async () => {
        await settled()
        const session = link.session
        if (session) await session.redis.presenceRenew(root, instance, session.generation, Math.round(lease / 5))
      }
      let timer: NodeJS.Timeout | undefined
      const timeout = new Promise<void>(resolve => { timer = setTimeout(resolve, CLOSE_TIMEOUT_MS) })
      await Promise.race([farewell().catch(() => { /* The lease then expires by itself. */ }), timeout])
      clearTimeout(timer)
      entries.close()
      await link.close()
      entries.close()
    }
  }
}

/** Throws on null, which scripts answer where the connection's lease has expired or a later connection holds it. */
function current<T> (reply: T | null): T {
  if (reply === null) throw new Error('lease expired')
  return reply
}
