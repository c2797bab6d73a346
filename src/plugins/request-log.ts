import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** One request, answered: `route` is a pattern, `seconds` what it took. */
export type OnAnswered = (route: string, method: string, status: number, seconds: number) => void

/** Gives every reply its request's id, and the log one line for each. */
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

/** fastify's `genReqId`: a proxy's own id where there is a proxy, else one of ours. */
export function createRequestId (isBehindProxy: boolean): (request: IncomingMessage) => string {
  return ({ headers }) => {
    const given = headers['x-request-id']
    return isBehindProxy && typeof given === 'string' && /^[!-~]{1,64}$/.test(given) ? given : randomUUID()
  }
}

export function nameReply ({ id }: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', id)
}

/** The route's pattern, never the URL: its path and query may hold what nobody should read. */
export function logRequest (request: FastifyRequest, { statusCode: status, elapsedTime }: FastifyReply): void {
  request.log.info({ method: request.method, route: routeOf(request), status, ms: Math.round(elapsedTime) }, 'request')
}

function routeOf ({ routeOptions: { url = 'unknown' } }: FastifyRequest): string {
  return url
}
