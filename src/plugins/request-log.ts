import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** Called for every answered request. `route` is the route's pattern, `seconds` the duration. */
export type OnAnswered = (route: string, method: string, status: number, seconds: number) => void

/** Adds the request's id to every reply, and logs one line for each request. */
export default fp(async (app, { onAnswered }: { onAnswered: OnAnswered | undefined }) => {
  app.addHook('onRequest', (request, reply, done) => {
    nameReply(request, reply)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    logRequest(request, reply)
    onAnswered?.(routeOf(request), request.method, reply.statusCode, reply.elapsedTime / 1000)
    done()
  })
}, { name: 'request-log' })

/** Builds fastify's option `genReqId`: behind a proxy it takes the id that the proxy sends, otherwise it makes one. */
export function createRequestId (isBehindProxy: boolean): (request: IncomingMessage) => string {
  return ({ headers }) => {
    const given = headers['x-request-id']
    return isBehindProxy && typeof given === 'string' && /^[!-~]{1,64}$/.test(given) ? given : randomUUID()
  }
}

export function nameReply ({ id }: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', id)
}

/**
 * Logs the route's pattern and never the URL, because its path and query may hold secrets. A refused origin is logged, because the operator
 * may have to add it to `ALLOWED_ORIGINS`.
 */
export function logRequest (request: FastifyRequest, { statusCode: status, elapsedTime }: FastifyReply): void {
  const { method, refusedOrigin } = request
  const line = { method, route: routeOf(request), status, ms: Math.round(elapsedTime), ...refusedOrigin !== undefined && { refusedOrigin } }
  request.log.info(line, 'request')
}

function routeOf ({ routeOptions: { url = 'unknown' } }: FastifyRequest): string {
  return url
}
