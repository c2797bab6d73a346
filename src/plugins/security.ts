import type { IncomingHttpHeaders } from 'node:http'
import fastifyCors from '@fastify/cors'
import fastifyHelmet from '@fastify/helmet'
import fp from 'fastify-plugin'
import { isOwnOrigin, type AllowedOrigins } from '../origins.ts'
import { printable } from '../printable.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the `Origin` of a request is neither the server's own nor allowed [P3]. */
    refusesOrigin (headers: IncomingHttpHeaders): boolean
  }
  interface FastifyRequest {
    /**
     * An `Origin` that is neither the server's own nor allowed, for the log: escaped, and its first characters only. Undefined for any
     * other request.
     */
    refusedOrigin: string | undefined
  }
}

interface SecurityDeps {
  allowedOrigins: AllowedOrigins
  /** Called for every request and upgrade with a refused `Origin`. */
  onRefusedOrigin (): void
}

/** Characters of a refused origin that are logged. A client may write anything there. */
const MAX_ORIGIN = 200
/** Headers of a reply that pages of other origins may read. */
const EXPOSED = ['retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

/**
 * Sets the security headers of every reply. Replies are data, which no page may run or frame. Pages of the allowed origins may send
 * requests with their token, but not with the cookie of a login [P85]. `/docs`, the only page, has its own policy. Register it before
 * plugins that may refuse a request, and before the route of WebSocket upgrades, which refuses every request with a `refusedOrigin`.
 */
export default fp(async (app, { allowedOrigins, onRefusedOrigin }: SecurityDeps) => {
  await app.register(fastifyHelmet, {
    global: false,
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    frameguard: { action: 'deny' },
    // Only the proxy that ends TLS knows which host names this header should hold for.
    strictTransportSecurity: false
  })
  // Set the headers when a reply is sent: a successful upgrade sends none and should not pay for them.
  app.addHook('onSend', async (_request, reply) => { reply.helmet() })
  app.decorateRequest('refusedOrigin', undefined)
  app.decorate('refusesOrigin', ({ origin, host }) =>
    origin !== undefined && !allowedOrigins.has(origin) && !isOwnOrigin(origin, host))
  app.addHook('onRequest', async request => {
    if (!app.refusesOrigin(request.headers)) return
    request.refusedOrigin = shownOrigin(request.headers.origin!)
    onRefusedOrigin()
  })
  await app.register(fastifyCors, {
    // Return a list, even an empty one, so that the plugin answers the preflight of any origin.
    origin: allowedOrigins.any || (async (origin?: string) => origin !== undefined && allowedOrigins.has(origin) ? [origin] : []),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED
  })
}, { name: 'security' })

/** Returns an origin for the log, without user, path and query: no origin has them, and they may hold secrets. */
function shownOrigin (origin: string): string {
  return printable(origin.replace(/:\/\/(?:[^/?#]*@)?([^/?#]*).*$/s, '://$1').slice(0, MAX_ORIGIN))
}
