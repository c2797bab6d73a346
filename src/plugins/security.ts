import fastifyCors from '@fastify/cors'
import fastifyHelmet from '@fastify/helmet'
import fp from 'fastify-plugin'
import type { AllowedOrigins } from '../origins.ts'

/** What a page of another origin may read of a reply, besides its body. */
const EXPOSED = ['retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

/**
 * What browsers are told of every reply: it is data, to be run or framed by nobody; pages of the allowed origins may ask for it, with
 * their token, never with cookies. `/docs`, the only page, has a policy of its own. Register before what may refuse a request.
 */
export default fp(async (app, { allowedOrigins }: { allowedOrigins: AllowedOrigins }) => {
  await app.register(fastifyHelmet, {
    global: false,
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    frameguard: { action: 'deny' },
    // Whoever ends TLS knows for which names it holds.
    strictTransportSecurity: false
  })
  // With the reply, not with the request: an upgrade that succeeds has none, and would pay for headers that nobody sends.
  app.addHook('onSend', async (_request, reply) => { reply.helmet() })
  await app.register(fastifyCors, {
    // As a list of the page's own origin, or of none: the preflight is answered in either case.
    origin: allowedOrigins.any || (async (origin?: string) => origin !== undefined && allowedOrigins.has(origin) ? [origin] : []),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED
  })
}, { name: 'security' })
