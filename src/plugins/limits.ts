import { isIP } from 'node:net'
import { getHeapStatistics } from 'node:v8'
import fastifyRateLimit, { normalizeIP, type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'
import type { Auth } from '../services/auth.ts'
import { bearerOf } from './auth.ts'
import type { Counters } from './counters.ts'
import pressurePlugin from './pressure.ts'

export interface LimitsDeps {
  config: Config['limits']
  auth: Pick<Auth, 'readAccess'>
  /** Shared by all instances; without them each counts for itself. */
  counters: Counters | null
}

const WINDOW_MS = 60_000
/** Users and addresses that one instance counts for itself; of more, those not seen for longest start anew. */
const MAX_COUNTED = 10_000

/**
 * Limits the requests to `/api`, and tells by `app.isUnderPressure()` whether the process has all it can carry. Register after CORS,
 * so that pages can read a refusal, and before the routes, so that one costs no database.
 */
export default fp(async (app, { config, auth, counters }: LimitsDeps) => {
  if (counters) {
    // Nobody waits for it: until it is there, requests are not counted.
    app.addHook('onReady', async () => { counters.start() })
    app.addHook('onClose', counters.close)
  }
  await app.register(fastifyRateLimit, {
    global: false,
    max: config.rest_requests,
    timeWindow: WINDOW_MS,
    cache: MAX_COUNTED,
    ...counters && { store: storeOf(counters) },
    skipOnError: true,
    keyGenerator: request => userOf(request, auth) ?? addressOf(request),
    errorResponseBuilder: (_request, { ttl }) => new AppError('rate_limited', { retryAfterMs: ttl })
  })
  const limit = app.rateLimit()
  app.addHook('onRequest', async function (request, reply) {
    // The route's own URL: a request's may be spelt in many ways.
    if (request.routeOptions.url?.startsWith('/api/')) await limit.call(this, request, reply)
  })

  await app.register(pressurePlugin, {
    maxDelay: config.event_loop_delay,
    maxHeap: getHeapStatistics().heap_size_limit * config.heap_percent / 100
  })
}, { name: 'limits' })

/**
 * Whom limits by address bind: an IPv4 address or an IPv6 network of 64 bits, as a household or host has one. Where any proxy is
 * trusted, the address may be any text: all that is none counts as one.
 */
export function addressOf ({ ip }: Pick<FastifyRequest, 'ip'>): string {
  return isIP(ip) === 0 ? 'unknown' : normalizeIP(ip)
}

/** Whose token comes with the request, if it is one of ours. Whether it still counts for something is not asked here. */
function userOf (request: FastifyRequest, auth: LimitsDeps['auth']): string | undefined {
  const token = bearerOf(request.headers)
  if (token === undefined) return undefined
  try {
    return auth.readAccess(token).user_id
  } catch {
    // The route will say so; here it is the address that counts.
    return undefined
  }
}

function storeOf (counters: Counters) {
  return class implements FastifyRateLimitStore {
    incr (key: string, callback: Parameters<FastifyRateLimitStore['incr']>[1], timeWindow: number): void {
      counters.count(key, timeWindow).then(state => callback(null, state), callback)
    }

    child (): this { return this }
  }
}
