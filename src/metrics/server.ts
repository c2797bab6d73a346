import fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import type { Logger } from 'pino'
import errorsPlugin from '../plugins/errors.ts'
import metricsRoutes, { type MetricsText } from '../routes/metrics.ts'

export interface MetricsServerDeps {
  text: MetricsText
  host: string
  port: number
  token: string | undefined
  logger: Logger
}

/** `GET /metrics` on a port of its own, away from where the clients come in. Rejects as `listen` does. */
export async function openMetricsServer ({ text, host, port, token, logger }: MetricsServerDeps) {
  const app = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: 10_000
  })
  await app.register(errorsPlugin)
  await app.register(metricsRoutes, { text, token })
  await app.listen({ host, port })
  // Of a connection that could not be accepted: an error that nobody listens to would end the process.
  app.server.on('error', error => logger.warn({ err: error }, 'the port for metrics accepts no connection'))
  const address = app.server.address()
  return {
    port: typeof address === 'object' ? address?.port ?? port : port,
    close: (): Promise<void> => app.close()
  }
}
