import { ParleyError } from './errors.ts'
import type { Arguments, Http, Input } from './http.ts'
import type { CallOptions } from './options.ts'
import type { Tokens } from './tokens.ts'
import type { Routes } from './wire.ts'

/**
 * Makes a REST call as the user: `rest('GET /api/channels/:name', { params: { name: 'general' } })`. The token is a fresh one; if it is
 * refused, the call is made once more with another. Needs no connection. Calls of `/api/auth` are made without a login. @throws ParleyError
 */
export type RestClient = <R extends keyof Routes>(route: R, ...[input, options]: Arguments<R>) => Promise<Routes[R]['answer']>

/** Adds the tokens to REST calls. */
export function createRest (http: Http, tokens: Tokens): RestClient {
  return async function rest<R extends keyof Routes> (route: R, ...[input = {} as Input<R>, options]: Arguments<R>) {
    const call = async (token: string | null): Promise<Routes[R]['answer']> => http(route, input as Input<R>, options as CallOptions, token)
    // A login that cannot be refreshed, because the address has to be verified first, must not prevent just that.
    if (route.includes('/api/auth/')) return call(null)
    const token = await tokens.get('connect')
    try {
      return await call(token)
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'authentication_failed') throw error
      // Another call may have got a fresh token meanwhile.
      const current = await tokens.get('connect')
      return await call(current === token ? await tokens.get('refused') : current)
    }
  }
}
