import { ParleyError } from './errors.ts'
import type { Http } from './http.ts'
import type { Lock } from './lock.ts'
import type { CallOptions, LogEvent, LoginStorage } from './options.ts'
import { createView, type Readable } from './readable.ts'
import type { Token } from './tokens.ts'
import type { RestClient } from './rest.ts'
import type { Me, Routes, User } from './wire.ts'

/** The body of a call, without `cookie`: the option `storage` says where the login is kept. */
type Body<R extends keyof Routes> = Omit<Routes[R]['body'] & object, 'cookie'>
type Answer = Routes['POST /api/auth/login']['answer']
type Given = Partial<Answer> & Pick<Answer, 'user'>

/** The login of this client, null for none. All tabs that share a storage have the same. */
export interface Account extends Readable<Me | null> {
  /**
   * Makes an account and logs in. @throws ParleyError, such as `email_taken` or `invalid_invitation_code`. `email_not_verified`: the
   * account was made, and can log in once its address is verified.
   */
  register (registration: Body<'POST /api/auth/register'>): Promise<Me>
  /** Logs in. @throws ParleyError, such as `authentication_failed`. */
  login (credentials: Body<'POST /api/auth/login'>): Promise<Me>
  /**
   * Ends the login, here at once. @throws ParleyError if the server could not be told: then it ends there by itself, later. A login in a
   * cookie ends there with the next connection.
   */
  logout (): Promise<void>
  /** Gets fresh tokens, and how the account is now. @throws ParleyError `not_authenticated` without a login, `offline`. */
  refresh (): Promise<Me>
  /** Changes name, handle or password. @throws ParleyError, such as `handle_taken`. */
  update (changes: Body<'PATCH /api/me'>): Promise<Me>
  /** Erases the account and ends the login. @throws ParleyError, such as `not_authorized` for a wrong password. */
  erase (password: string): Promise<void>
}

/**
 * A login as it is stored. A login in a cookie has no token here, and no user where somebody has logged out and the server does not know it
 * yet: no script can delete the cookie.
 */
interface Kept { user: Me | null, refreshToken?: string | undefined }

export interface AccountDeps {
  http: Http
  rest: RestClient
  storage: LoginStorage
  /** Whether the browser keeps the refresh token in a cookie [P85]. */
  inCookie: boolean
  lock: Lock
  log (event: LogEvent): void
  /** Another user has logged in, or nobody is logged in any more. */
  onSwitch (): void
}

/** Creates the account, with what the rest of the client needs of it. */
export function createAccount ({ http, rest, storage, inCookie, lock, log, onSwitch }: AccountDeps) {
  const view = createView(() => user, error => log({ type: 'fault', error }))
  const place = inCookie ? { cookie: true } : {}
  const first = storage.load()
  let user: Me | null = typeof first === 'string' ? read(first)?.user ?? null : null

  function read (login: string | null): Kept | null {
    const kept = parse(login)
    return inCookie || typeof kept?.refreshToken === 'string' ? kept : null
  }

  function show (next: Me | null): void {
    if (JSON.stringify(next) === JSON.stringify(user)) return
    const isSwitched = next?.user_id !== user?.user_id
    user = next
    view.changed()
    if (isSwitched) onSwitch()
  }

  const load = async (): Promise<Kept | null> => read(await storage.load())

  async function keep (kept: Kept | null): Promise<void> {
    await storage.save(kept && JSON.stringify(kept))
    show(kept?.user ?? null)
  }

  async function accept ({ user: account, access_token: token, refresh_token: refreshToken }: Given): Promise<Me> {
    // A registration whose address has to be verified first gives no login [P76].
    if (token === undefined) throw new ParleyError('email_not_verified')
    const me = meOf(account)
    await keep({ user: me, refreshToken })
    return me
  }

  /** Exchanges the refresh token. Only if the server refuses it, the login has ended [C7]. @returns null if there is no login. */
  const renew = (options: CallOptions = {}): Promise<Answer | null> => lock(async () => {
    const kept = await load()
    if (!kept?.user) {
      show(null)
      if (kept) await leave(kept, options)
      return null
    }
    try {
      const answer = await http('POST /api/auth/refresh', { body: { refresh_token: kept.refreshToken ?? null, ...place } }, options)
      await accept(answer)
      return answer
    } catch (error) {
      if (!isRefused(error)) throw error
      await keep(null)
      return null
    }
  })

  /** Tells the server that the login is over. Where it refuses the token, or the browser has no cookie, that is so already. */
  async function leave ({ refreshToken }: Kept, options?: CallOptions): Promise<void> {
    await http('POST /api/auth/logout', { body: { refresh_token: refreshToken ?? null } }, options).catch((error: unknown) => {
      if (!isRefused(error)) throw error
    })
    if (inCookie) await keep(null)
  }

  const logIn = (call: () => Promise<Answer>): Promise<Me> => lock(async () => accept(await call()))

  const account: Account = {
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    register: registration => logIn(() => http('POST /api/auth/register', { body: { ...registration, ...place } })),
    login: credentials => logIn(() => http('POST /api/auth/login', { body: { ...credentials, ...place } })),
    logout: () => lock(async () => {
      const kept = await load()
      await keep(kept && inCookie ? { user: null } : null)
      if (kept) await leave(kept)
    }),
    async refresh () {
      if (!await renew()) throw new ParleyError('not_authenticated')
      return user!
    },
    async update (changes) {
      const me = meOf(await rest('PATCH /api/me', { body: changes }))
      await lock(async () => {
        const kept = await load()
        if (kept?.user) await keep({ ...kept, user: me })
      })
      return me
    },
    async erase (password) {
      await rest('DELETE /api/me', { body: { password } })
      await lock(() => keep(null))
    }
  }

  return {
    account,

    /** Gets an access token for the login, null if there is none. `signal` gives that up. */
    async token (signal: AbortSignal): Promise<Token | null> {
      const answer = await renew({ signal })
      return answer && { token: answer.access_token, life: answer.expires_in * 1000 }
    },

    /** Follows what other tabs do with the login. @returns a function that ends this. */
    follow: (): (() => void) => storage.subscribe?.(() => {
      load().then(kept => show(kept?.user ?? null)).catch((error: unknown) => log({ type: 'fault', error }))
    }) ?? (() => {}),

    /** The server has ended the login. */
    async revoked (): Promise<void> {
      user = null
      view.changed()
      await lock(() => keep(null))
    }
  }
}

function meOf ({ id, name, handle, email, role }: User): Me {
  return { user_id: id, username: name, handle, email, role }
}

function isRefused (error: unknown): boolean {
  return error instanceof ParleyError && ['authentication_failed', 'token_required'].includes(error.code)
}

function parse (login: string | null): Kept | null {
  try {
    return JSON.parse(login ?? 'null') as Kept | null
  } catch {
    return null
  }
}
