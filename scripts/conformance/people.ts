import { randomBytes } from 'node:crypto'
import type { Rest } from './rest.ts'
import { Withheld } from './verdict.ts'

/** A user of the server. Users whose tokens were given by options lack the optional fields. */
export interface Person {
  id: string
  name: string
  handle: string
  token: string
  email?: string
  password?: string
  refreshToken?: string
}

/** The run cannot be made: the server cannot be reached, or the options do not fit it. */
export class CannotRun extends Error {}

export type People = Awaited<ReturnType<typeof gather>>

/** A password whose letters Unicode can write in two ways [P56]. */
export const PASSWORD = 'Café Zürich correct horse'

/** Finds or registers the users of a run. `run`: a word that names of users and channels begin with. @throws CannotRun */
export async function gather (rest: Rest, run: string, { tokens, adminToken }: { tokens: string[], adminToken: string | undefined }) {
  const registered: Person[] = []
  let shared: Promise<Person> | undefined

  async function register (name: string): Promise<Person> {
    const email = `${run}-${name}-${randomBytes(4).toString('hex')}@conformance.invalid`
    const account = { name: `${run}-${name}`, email, password: PASSWORD }
    const { status, body } = await rest.call('POST', '/api/auth/register', { body: account })
    if (status === 403) throw new Withheld('not offered', `it needs an account of its own, and registration answers ${body?.code}`)
    if (status === 202) throw new Withheld('not offered', 'it needs an account of its own, and registration wants a verified address')
    if (status !== 201 || typeof body?.access_token !== 'string') {
      throw new CannotRun(`POST /api/auth/register answered ${status} ${JSON.stringify(body).slice(0, 200)}`)
    }
    const person = {
      id: body.user?.id, name: body.user?.name, handle: body.user?.handle, token: body.access_token, refreshToken: body.refresh_token,
      email, password: PASSWORD
    }
    registered.push(person)
    return person
  }

  async function known (token: string, what: string): Promise<Person> {
    const { status, body } = await rest.call('GET', '/api/me', { token })
    if (status !== 200) throw new CannotRun(`GET /api/me answered ${status} with the token of ${what}`)
    if (what === '--admin-token' && body.role !== 'admin') throw new CannotRun('--admin-token is not the token of an admin')
    return { id: body.id, name: body.name, handle: body.handle, token }
  }

  async function regulars (): Promise<Person[]> {
    if (tokens.length > 0) return Promise.all(tokens.map((token, i) => known(token, `--token number ${i + 1}`)))
    try {
      return await Promise.all(['ann', 'ben', 'cyd'].map(register))
    } catch (error) {
      if (!(error instanceof Withheld)) throw error
      throw new CannotRun('nobody can register at this server: give the tokens of at least two users, --token A --token B')
    }
  }

  const [ann, ben, cyd] = await regulars()
  if (!ann || !ben || ann.id === ben.id) throw new CannotRun('--token has to be given at least twice, for different users')
  const admin = adminToken === undefined ? undefined : await known(adminToken, '--admin-token')

  return {
    ann,
    ben,

    third (): Person {
      if (!cyd) throw new Withheld('not seen', 'it needs a third user: give another --token')
      return cyd
    },

    admin (): Person {
      if (!admin) throw new Withheld('not seen', 'it needs an admin: give --admin-token')
      return admin
    },

    /** Registers one more user. @throws Withheld */
    register,

    /** The one account that cases about accounts share: they change it, which they must not do to users who were given. @throws Withheld */
    account (): Promise<Person> {
      shared ??= register('eve')
      return shared
    },

    /** Erases the accounts that this run has made. @returns what could not be erased. */
    async leave (): Promise<string[]> {
      const left = await Promise.all(registered.map(async ({ token, password, name, email }) => {
        const erase = (token: string) => rest.call('DELETE', '/api/me', { token, body: { password } })
        let { status } = await erase(token)
        // A case has ended the login.
        if (status === 401) {
          const login = await rest.call('POST', '/api/auth/login', { body: { email, password } })
          status = (await erase(login.body?.access_token)).status
        }
        return status === 204 ? [] : [`the account ${name}`]
      }))
      return left.flat()
    }
  }
}
