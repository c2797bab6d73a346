import createClient from 'openapi-fetch'
import { checkDocumented, operationOf } from './documented.ts'
import type { paths } from './generated/openapi.ts'

/** The ids of the operations that clients of this process have called with success. */
export const called = new Set<string>()

export type Rest = ReturnType<typeof createRest>

/**
 * Makes a client of REST that is typed by docs/openapi.json. Each reply has to be what the document says.
 * @param origin `http://host:port`; `token`: an access token, for calls as a user.
 */
export function createRest (origin: string, token?: string) {
  const client = createClient<paths>({ baseUrl: origin, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  client.use({
    async onResponse ({ request, response }) {
      const { pathname } = new URL(request.url)
      const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
      const body: unknown = isJson ? await response.clone().json() : null
      checkDocumented(request.method, pathname, response.status, body)
      if (response.ok) called.add(operationOf(request.method, pathname)!.operationId)
    }
  })
  return client
}
