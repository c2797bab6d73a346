import type { FastifyRequest } from 'fastify'

/** Fastify's `logger` option. Of a request's URL only the path: a query string may hold what nobody should read. */
export function loggerOptions (level: string) {
  return {
    level,
    serializers: {
      req: ({ method, url, ip }: FastifyRequest) => ({ method, path: url.split(/[?#]/, 1)[0], address: ip })
    }
  }
}
