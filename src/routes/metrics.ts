import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsync } from 'fastify'
import { Registry } from 'prom-client'
import { AppError } from '../errors.ts'
import { bearerOf } from '../plugins/auth.ts'

/** Returns all metrics in Prometheus' text format: those of this process, or of all workers together. */
export type MetricsText = () => Promise<string>

/** Serves `GET /metrics`. If `token` is set, a request needs it as its bearer token. */
const routes: FastifyPluginAsync<{ text: MetricsText, token: string | undefined }> = async (app, { text, token }) => {
  app.get('/metrics', {
    schema: { hide: true },
    onRequest: async ({ headers }) => {
      if (token === undefined) return
      const given = bearerOf(headers)
      if (given === undefined) throw new AppError('not_authenticated')
      if (!timingSafeEqual(digest(given), digest(token))) throw new AppError('authentication_failed')
    }
  }, async (_request, reply) => reply.type(Registry.PROMETHEUS_CONTENT_TYPE).serializer(String).send(await text()))
}

export default routes

/** Hashes a token, because `timingSafeEqual` compares only buffers of the same length. */
function digest (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
