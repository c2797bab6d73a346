import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Broker } from '../broker/broker.ts'
import { resolvesWithin } from '../deadline.ts'
import { Health, Readiness } from '../schemas/health.ts'

export interface HealthDeps {
  /** Resolves once the database has answered. */
  pingDatabase (): Promise<unknown>
  /** Whether all migrations that this code needs are applied. */
  isMigrated (): Promise<boolean>
  /** Whether nothing can be stored because the disk is full. */
  isFull (): boolean
  broker: Pick<Broker, 'connected'>
  isDraining (): boolean
}

/** Milliseconds to wait for the database: a health check needs the answer before it times out itself. */
const PING_TIMEOUT = 2000

const shared = { tags: ['health'], security: [] }

const routes: FastifyPluginAsyncTypebox<HealthDeps> = async (app, { pingDatabase, isMigrated, isFull, broker, isDraining }) => {
  /** Migrations are never undone, so a true result is not checked again. */
  let migrated = false

  async function checkDatabase (): Promise<'up' | 'full' | 'outdated'> {
    // The ping also checks whether a full disk has room again. While it is full, the ping may fail: the engine may have to be reopened.
    await pingDatabase().catch(error => { if (!isFull()) throw error })
    if (isFull()) return 'full'
    migrated ||= await isMigrated()
    return migrated ? 'up' : 'outdated'
  }

  app.get('/healthz', {
    schema: { ...shared, operationId: 'health', summary: 'The process answers', response: { 200: Health } }
  }, async () => ({ status: 'ok' as const }))

  app.get('/readyz', {
    schema: {
      ...shared,
      operationId: 'readiness',
      summary: 'Requests and connections are wanted',
      response: { 200: Readiness, 503: Readiness }
    }
  }, async (_request, reply) => {
    const bus = broker.connected ? 'up' : 'degraded'
    // Do not ask the database: a load balancer has to know at once.
    if (isDraining()) return reply.code(503).send({ status: 'draining', database: 'unknown', bus })
    let database = 'down' as Readiness['database']
    await resolvesWithin(checkDatabase().then(state => { database = state }), PING_TIMEOUT)
    const ready = database === 'up'
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'unavailable', database, bus })
  })
}

export default routes
