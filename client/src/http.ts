import { limit } from './calls.ts'
import type { Clock } from './clock.ts'
import { errorOf, ParleyError } from './errors.ts'
import type { CallOptions } from './options.ts'
import type { Routes } from './wire.ts'

/** The parts of a REST call that have fields. A part with required fields has to be given. */
export type Input<R extends keyof Routes> =
  Part<'params', Routes[R]['params']> & Part<'query', Routes[R]['query']> & Part<'body', Routes[R]['body']>
type Part<Name extends string, Value> = [Value] extends [undefined]
  ? object
  : object extends Value ? { [K in Name]?: Value } : { [K in Name]: Value }

/** The arguments of a REST call after its route. */
export type Arguments<R extends keyof Routes> = object extends Input<R>
  ? [input?: Input<R>, options?: CallOptions]
  : [input: Input<R>, options?: CallOptions]

export type Http = ReturnType<typeof createHttp>

/** Makes REST calls. `base` is the server's address without a slash at its end. */
export function createHttp ({ base, fetch, clock }: { base: string, fetch: typeof globalThis.fetch, clock: Clock }) {
  /** @throws ParleyError `offline` if no answer came, `timeout`, `aborted`, or what the server answered. */
  return async function call<R extends keyof Routes> (
    route: R, input: Input<R>, options: CallOptions = {}, token: string | null = null
  ): Promise<Routes[R]['answer']> {
    const { params = {}, query = {}, body } = input as { params?: Record<string, string>, query?: Record<string, string>, body?: unknown }
    const [method, path] = route.split(' ') as [string, string]
    const url = base + path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name]!))
    const stop = new AbortController()
    const end = limit(clock, options, error => stop.abort(error))
    try {
      const given = Object.entries(query).filter(([, value]) => value !== undefined)
      const response = await fetch(`${url}?${new URLSearchParams(given)}`, {
        method,
        headers: {
          ...body !== undefined && { 'content-type': 'application/json' },
          ...token !== null && { authorization: `Bearer ${token}` }
        },
        ...body !== undefined && { body: JSON.stringify(body) },
        signal: stop.signal
      })
      const text = await response.text()
      if (!response.ok) throw refusal(response, text)
      // An export is lines of JSON, which are handed on as they are.
      const isText = response.headers.get('content-type')?.startsWith('application/x-ndjson')
      return (isText ? text : text ? JSON.parse(text) : null) as Routes[R]['answer']
    } catch (error) {
      throw error instanceof ParleyError ? error : stop.signal.reason ?? new ParleyError('offline', String(error))
    } finally {
      end()
    }
  }
}

/** Reads an answer that refuses. Proxies answer with texts of their own. */
function refusal ({ status, headers }: Response, text: string): ParleyError {
  const retryAfterMs = Number(headers.get('retry-after')) * 1000 || undefined
  let body: Parameters<typeof errorOf>[0] | undefined
  try {
    body = JSON.parse(text)
  } catch {
    // Not an answer of Parley.
  }
  if (body?.code) return errorOf({ ...retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }, ...body })
  return new ParleyError(status < 500 ? 'internal' : 'unavailable', `HTTP ${status}`, retryAfterMs)
}
