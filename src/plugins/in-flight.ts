import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import { resolvesWithin } from '../deadline.ts'
import { isUpgrade } from './upgrades.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Waits until no request is without its answer, for at most so many milliseconds. Connections may be cut then. */
    requestsAnswered (within: number): Promise<boolean>
  }
}

/** Knows the requests that are being answered. */
export default fp(async app => {
  const inFlight = new Set<ServerResponse>()
  let settled: () => void = () => {}

  app.addHook('onRequest', async (request, reply) => {
    // An upgrade's connection has its own goodbye.
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
