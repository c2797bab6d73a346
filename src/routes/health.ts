import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { Broker } from '../broker/broker.ts'

export interface HealthDeps {
  /** Resolves once the database has answered. */
  pingDatabase (): Promise<unknown>
  broker: Pick<Broker, 'connected'>
}

/** Milliseconds: a probe wants an answer before its own patience ends. */
const PING_TIMEOUT = 2000

const Readiness = Type.Object({
  status: Type.String({ description: 'ready | unavailable' }),
  database: Type.String({ description: 'up | down' }),
  bus: Type.String({ description: 'up | degraded: delivery goes on, by catch-up' })
})

const tags = ['health']

const routes: FastifyPluginAsyncTypebox<HealthDeps> = async (app, { pingDatabase, broker }) => {
  app.get('/healthz', {
    schema: { tags, summary: 'The process answers', response: { 200: Type.Object({ status: Type.String() }) } }
  }, async () => ({ status: 'ok' }))

  app.get('/readyz', {
    schema: { tags, summary: 'Requests can be served', response: { 200: Readiness, 503: Readiness } }
  }, async (_request, reply) => {
    const up = await answersInTime(pingDatabase())
    return reply.code(up ? 200 : 503).send({
      status: up ? 'ready' : 'unavailable',
      database: up ? 'up' : 'down',
      bus: broker.connected ? 'up' : 'degraded'
    })
  })
}

export default routes

/** False for a failure and for silence alike: neither can serve a request. */
async function answersInTime (answer: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<false>(resolve => { timer = setTimeout(resolve, PING_TIMEOUT, false) })
  try {
    return await Promise.race([answer.then(() => true, () => false), silence])
  } finally {
    clearTimeout(timer)
  }
}
