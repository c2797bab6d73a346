import { CALL_TIMEOUT } from './calls.ts'
import { createTimer, type Clock } from './clock.ts'
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
    route: R, input: Input<R>, { timeout = CALL_TIMEOUT, signal }: CallOptions = {}, token: string | null = null
  ): Promise<Routes[R]['answer']> {
    const { params = {}, query = {}, body } = input as { params?: Record<string, string>, query?: Record<string, unknown>, body?: unknown }
    const [method, path] = route.split(' ') as [string, string]
    const url = new URL(base + path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name]!)))
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))

    const stop = new AbortController()
    let code: 'offline' | 'timeout' | 'aborted' = 'offline'
    const give = (why: typeof code): void => {
      code = why
      stop.abort()
    }
    const abort = (): void => give('aborted')
    const timer = createTimer(clock, () => give('timeout'))
    timer.start(timeout)
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    try {
      const response = await fetch(url, {
        method,
        headers: {
          ...body !== undefined && { 'content-type': 'application/json' },
          ...token !== null && { authorization: `Bearer ${token}` }
        },
        ...body !== undefined && { body: JSON.stringify(body) },
        signal: stop.signal
      })
      const text = await response.text()
      if (response.ok) return (text ? JSON.parse(text) : null) as Routes[R]['answer']
      throw refusal(response, text)
    } catch (error) {
      throw error instanceof ParleyError ? error : new ParleyError(code, String(error))
    } finally {
      timer.stop()
      signal?.removeEventListener('abort', abort)
    }
  }
}

/** Reads an answer that refuses. Proxies answer with texts of their own. */
function refusal ({ status, headers }: Response, text: string): ParleyError {
  const seconds = Number(headers.get('retry-after') ?? NaN)
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined
  try {
    const { code, message, retry_after_ms: ms = retryAfterMs } = JSON.parse(text)
    if (typeof code === 'string') return errorOf({ code, message, retry_after_ms: ms })
  } catch {
    // Not an answer of Parley.
  }
  return new ParleyError(status === 429 ? 'rate_limited' : status >= 500 ? 'unavailable' : 'internal', `HTTP ${status}`, retryAfterMs)
}
