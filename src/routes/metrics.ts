import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsync } from 'fastify'
import { Registry } from 'prom-client'
import { AppError } from '../errors.ts'
import { bearerOf } from '../plugins/auth.ts'

/** All metrics in Prometheus' text format: of this process, or of all workers together. */
export type MetricsText = () => Promise<string>

/** `GET /metrics`. With a token, whoever asks has to bring it as a bearer. */
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

/** Of one length, whatever is given. */
function digest (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
