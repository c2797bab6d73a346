import type { createConnections } from './connection.ts'
import type { Person } from './instance.ts'
import type { Call } from './rest.ts'
import type { TestUser } from './types.ts'

/** Milliseconds before its end from which on a token is not used any more. */
const MARGIN = 5000

interface UserDeps {
  call: Call
  connections: ReturnType<typeof createConnections>
  /** Milliseconds of a clock that never goes back, and that jumps with the server's. */
  now (): number
}

export function createUser (person: Person, { call, connections, now }: UserDeps): TestUser {
  const { user, email, password } = person
  let login = { accessToken: person.access_token, refreshToken: person.refresh_token, until: untilOf(person.expires_in) }
  let renewal: Promise<void> | undefined

  function untilOf (seconds: number): number {
    return now() + Math.max(seconds * 1000 - MARGIN, 0)
  }

  async function renew (): Promise<void> {
    const { status, body } = await call('POST', '/api/auth/refresh', { body: { refresh_token: login.refreshToken } })
    if (status !== 200) throw new Error(`the login of ${user.name} cannot be renewed: ${status} ${body?.code}`)
    login = { accessToken: body.access_token, refreshToken: body.refresh_token, until: untilOf(body.expires_in) }
  }

  async function token (why: 'connect' | 'expiring' | 'refused' = 'connect'): Promise<string> {
    if (why !== 'connect' || now() >= login.until) {
      renewal ??= renew().finally(() => { renewal = undefined })
      await renewal
    }
    return login.accessToken
  }

  return {
    id: user.id,
    name: user.name,
    handle: user.handle!,
    email,
    password,
    token,
    async connect () {
      const connection = await connections.connect()
      await connection.request({ type: 'authenticate', token: await token() })
      return connection
    },
    call: async (method, path, body) => call(method, path, { body, token: await token() })
  }
}
