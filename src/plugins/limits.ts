import { getHeapStatistics } from 'node:v8'
import fastifyRateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config-schema.ts'
import type { Counters } from '../counters.ts'
import { AppError } from '../errors.ts'
import type { Auth } from '../services/auth.ts'
import { bearerOf } from './auth.ts'
import pressurePlugin from './pressure.ts'

export interface LimitsDeps {
  config: Config['limits']
  auth: Pick<Auth, 'readAccess'>
  counters: Pick<Counters, 'add'>
}

const WINDOW_MS = 60_000

/**
 * Limits the rate of requests to `/api`, and adds `app.isUnderPressure()`, which tells whether the process is overloaded. Register it
 * after CORS, so that pages can read a refusal, and before the routes, so that a refusal costs no database query.
 */
export default fp(async (app, { config, auth, counters }: LimitsDeps) => {
  await app.register(fastifyRateLimit, {
    global: false,
    max: config.rest_requests,
    timeWindow: WINDOW_MS,
    store: storeOf(counters),
    keyGenerator: request => userOf(request, auth) ?? request.address,
    errorResponseBuilder: (_request, { ttl }) => new AppError('rate_limited', { retryAfterMs: ttl })
  })
  const limit = app.rateLimit()
  app.addHook('onRequest', async function (request, reply) {
    // Compare the route's pattern: the URL of a request can be spelled in many ways.
    if (request.routeOptions.url?.startsWith('/api/')) await limit.call(this, request, reply)
  })

  await app.register(pressurePlugin, {
    maxDelay: config.event_loop_delay,
    maxHeap: getHeapStatistics().heap_size_limit * config.heap_percent / 100
  })
}, { name: 'limits', dependencies: ['address'] })

/** The user of the request's access token, if it is one of this server's. Whether its login still exists is not checked here. */
function userOf (request: FastifyRequest, auth: LimitsDeps['auth']): string | undefined {
  const token = bearerOf(request.headers)
  if (token === undefined) return undefined
  try {
    return auth.readAccess(token).user_id
  } catch {
    // The route refuses a bad token. Here the request counts towards the limit of its address.
    return undefined
  }
}

function storeOf (counters: Pick<Counters, 'add'>) {
  return class implements FastifyRateLimitStore {
    incr (key: string, callback: Parameters<FastifyRateLimitStore['incr']>[1], timeWindow: number): void {
      counters.add(`requests:${key}`, timeWindow).then(state => callback(null, state), callback)
    }

    child (): this { return this }
  }
}
