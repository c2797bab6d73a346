import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import { resolvesWithin } from '../deadline.ts'
import { isUpgrade } from './upgrades.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Resolves with true once every request is answered, or with false after `within` milliseconds. Connections may be cut then. */
    requestsAnswered (within: number): Promise<boolean>
  }
}

/** Keeps track of requests that are not fully answered. */
export default fp(async app => {
  const inFlight = new Set<ServerResponse>()
  let settled: () => void = () => {}

  app.addHook('onRequest', async (request, reply) => {
    // Upgrade requests do not count, because their connections are closed separately.
    if (isUpgrade(request)) return
    const { raw } = reply
    const end = (): void => {
      if (inFlight.delete(raw) && inFlight.size === 0) settled()
    }
    inFlight.add(raw)
    raw.once('finish', end).once('close', end)
  })
  app.decorate('requestsAnswered', within =>
    resolvesWithin(new Promise<void>(resolve => { inFlight.size === 0 ? resolve() : settled = resolve }), within))
}, { name: 'in-flight' })
