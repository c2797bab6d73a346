import { ParleyError } from './errors.ts'
import type { Http } from './http.ts'
import type { Lock } from './lock.ts'
import type { CallOptions, LogEvent, LoginStorage } from './options.ts'
import { createView, type Readable } from './readable.ts'
import type { Token } from './tokens.ts'
import type { RestClient } from './rest.ts'
import type { Me, Routes, User } from './wire.ts'

type Body<R extends keyof Routes> = Routes[R]['body']
type Answer = Routes['POST /api/auth/login']['answer']

/** The login of this client, null for none. All tabs that share a storage have the same. */
export interface Account extends Readable<Me | null> {
  /**
   * Makes an account and logs in. @throws ParleyError, such as `email_taken` or `invalid_invitation_code`. `email_not_verified`: the
   * account was made, and can log in once its address is verified.
   */
  register (registration: Body<'POST /api/auth/register'>): Promise<Me>
  /** Logs in. @throws ParleyError, such as `authentication_failed`. */
  login (credentials: Body<'POST /api/auth/login'>): Promise<Me>
  /** Ends the login, here at once. @throws ParleyError if the server could not be told: then it ends there by itself, later. */
  logout (): Promise<void>
  /** Gets fresh tokens, and how the account is now. @throws ParleyError `not_authenticated` without a login, `offline`. */
  refresh (): Promise<Me>
  /** Changes name, handle or password. @throws ParleyError, such as `handle_taken`. */
  update (changes: Body<'PATCH /api/me'>): Promise<Me>
  /** Erases the account and ends the login. @throws ParleyError, such as `authentication_failed` for a wrong password. */
  erase (password: string): Promise<void>
}

/** A login as it is stored. */
interface Kept { user: Me, refreshToken: string }

export interface AccountDeps {
  http: Http
  rest: RestClient
  storage: LoginStorage
  lock: Lock
  log (event: LogEvent): void
  /** Another user has logged in, or nobody is logged in any more. */
  onSwitch (): void
}

/** Creates the account, with what the rest of the client needs of it. */
export function createAccount ({ http, rest, storage, lock, log, onSwitch }: AccountDeps) {
  const view = createView(() => user, error => log({ type: 'fault', error }))
  const first = storage.load()
  let user: Me | null = typeof first === 'string' ? parse(first)?.user ?? null : null

  function show (next: Me | null): void {
    if (JSON.stringify(next) === JSON.stringify(user)) return
    const isSwitched = next?.user_id !== user?.user_id
    user = next
    view.changed()
    if (isSwitched) onSwitch()
  }

  const load = async (): Promise<Kept | null> => parse(await storage.load())

  async function keep (kept: Kept | null): Promise<void> {
    await storage.save(kept && JSON.stringify(kept))
    show(kept?.user ?? null)
  }

  async function accept ({ user: account, refresh_token: refreshToken }: Partial<Answer> & Pick<Answer, 'user'>): Promise<Me> {
    // A registration whose address has to be verified first gives no login [P76].
    if (refreshToken === undefined) throw new ParleyError('email_not_verified')
    const me = meOf(account)
    await keep({ user: me, refreshToken })
    return me
  }

  /** Exchanges the refresh token. Only if the server refuses it, the login has ended [C7]. @returns null if there is no login. */
  const renew = (options: CallOptions = {}): Promise<Answer | null> => lock(async () => {
    const kept = await load()
    if (!kept) {
      show(null)
      return null
    }
    try {
      const answer = await http('POST /api/auth/refresh', { body: { refresh_token: kept.refreshToken } }, options)
      await accept(answer)
      return answer
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'authentication_failed') throw error
      await keep(null)
      return null
    }
  })

  const logIn = (call: () => Promise<Answer>): Promise<Me> => lock(async () => accept(await call()))

  const account: Account = {
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    register: registration => logIn(() => http('POST /api/auth/register', { body: registration })),
    login: credentials => logIn(() => http('POST /api/auth/login', { body: credentials })),
    logout: () => lock(async () => {
      const kept = await load()
      await keep(null)
      if (kept) await http('POST /api/auth/logout', { body: { refresh_token: kept.refreshToken } })
    }),
    async refresh () {
      if (!await renew()) throw new ParleyError('not_authenticated')
      return user!
    },
    async update (changes) {
      const me = meOf(await rest('PATCH /api/me', { body: changes }))
      await lock(async () => {
        const kept = await load()
        if (kept) await keep({ ...kept, user: me })
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

function parse (login: string | null): Kept | null {
  try {
    const kept = JSON.parse(login ?? 'null') as Kept | null
    return typeof kept?.refreshToken === 'string' ? kept : null
  } catch {
    return null
  }
}
