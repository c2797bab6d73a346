import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { isOwnOrigin } from '../origins.ts'

export type LoginCookie = ReturnType<typeof createLoginCookie>

const NAME = 'parley_refresh'

/**
 * The cookie that keeps the refresh token of a page which this server's own address delivers, where no script can read it [P85].
 * `publicUrl` is where people reach the pages: its path is that of the cookie, so that the page of another path does not send it.
 */
export function createLoginCookie (publicUrl: string | undefined) {
  const path = (publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')) || '/'

  /**
   * Over TLS the name has a prefix, with which browsers take the cookie only from this host over TLS. Without it, a page of a neighbouring
   * subdomain or somebody on the network could plant a cookie of their own login here. `__Host-` allows no other path than `/`.
   */
  function nameOf ({ protocol }: FastifyRequest): string {
    if (protocol !== 'https') return NAME
    return (path === '/' ? '__Host-' : '__Secure-') + NAME
  }

  function write (reply: FastifyReply, value: string, maxAge: number): void {
    const { request } = reply
    reply.header('set-cookie', fastifyCookie.serialize(nameOf(request), value, {
      path, maxAge, httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https'
    }))
  }

  return {
    /** Returns the refresh token of the request's cookie; undefined without one. */
    read (request: FastifyRequest): string | undefined {
      const { cookie } = request.headers
      return cookie === undefined ? undefined : fastifyCookie.parse(cookie)[nameOf(request)]
    },

    /** Gives the browser the refresh token for so many seconds. */
    set: write,

    /** Takes the refresh token from the browser. */
    clear: (reply: FastifyReply): void => write(reply, '', 0)
  }
}

/**
 * Admits a request that uses the cookie or asks for it only if it may come from a page of this server. `SameSite=Strict` keeps the cookie
 * away from pages of other sites. This check also refuses other pages of the same site, allowed origins, and logins that other pages start.
 * @throws AppError `cross_origin`; `unsupported_media_type` without JSON, because what is not JSON can come from any page.
 */
export function requireOwnPage ({ headers, protocol }: FastifyRequest): void {
  const { origin, host, 'sec-fetch-site': site = 'same-origin', 'content-type': type = '' } = headers
  // Where the server does not trust the proxy that ends TLS, it takes the requests of https pages for plain ones.
  const scheme = protocol === 'https' ? /^https:/i : /^https?:/i
  const isOwn = origin === undefined || (scheme.test(origin) && isOwnOrigin(origin, host))
  if (!isOwn || site !== 'same-origin') throw new AppError('cross_origin')
  if (!/^application\/json\b/i.test(type)) throw new AppError('unsupported_media_type')
}
