import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from './config-schema.ts'
import { trustProxy } from './plugins/address.ts'
import { sendError } from './plugins/errors.ts'
import { createRequestId, logRequest, nameReply } from './plugins/request-log.ts'
import { schemaController } from './plugins/validation.ts'

/** Bytes that a REST body may have. */
const BODY_LIMIT = 65_536

/** Creates the HTTP server before any plugin or route. Timeouts are in milliseconds. */
export function createHttp (config: Config['server'], logger: Logger): FastifyInstance {
  const { trust_proxy: trustedProxies, keep_alive_timeout: keepAliveTimeout } = config
  const app: FastifyInstance = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    genReqId: createRequestId(trustedProxies !== 'false'),
    // plugins/request-log.ts logs requests instead, without their URLs.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    schemaController,
    // Data of messages may have any keys [P38]. Nothing copies the keys of a body, and unknown fields are refused.
    onConstructorPoisoning: 'ignore',
    // A request whose URL cannot be read runs no hooks, so this does what they would do.
    frameworkErrors: (error, request, reply) => {
      nameReply(request, reply)
      app.upgrades.begin(request, reply)
      reply.raw.once('finish', () => logRequest(request, reply))
      sendError(error, request, reply)
    },
    trustProxy: trustProxy(trustedProxies),
    forceCloseConnections: true,
    // A draining server still answers requests and closes each connection with its answer, so that a load balancer loses no request.
    return503OnClosing: false,
    // Let the schema refuse names that are too long: the router would answer that the route does not exist.
    routerOptions: { maxParamLength: 4096 },
    requestTimeout: 30_000,
    // The proxy must close an idle connection first. Otherwise it may send a request just as this server closes the connection.
    keepAliveTimeout: keepAliveTimeout * 1000,
    // Database and Redis have timeouts of their own. fastify's 10 s would fail a start on a busy machine.
    pluginTimeout: 60_000,
    // By default Node checks only every 30 s for connections that have passed their timeouts.
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1000 }
  })
  // Accept only JSON: by default fastify accepts plain text too.
  app.removeContentTypeParser('text/plain')
  return app
}
