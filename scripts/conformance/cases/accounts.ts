import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from '../rest.ts'
import { command, isMessage, say, type Case } from '../stage.ts'
import { check, Deviation, Withheld } from '../verdict.ts'

/** Accounts, logins, handles and codes. Whoever is changed here was registered for it. */
export const cases: Case[] = [
  {
    rule: 'P56',
    title: 'a password is right in either Unicode form, and a wrong one is refused',
    async run ({ people, rest }) {
      const { email, password } = await people.account()
      await rest.must('POST', '/api/auth/login', { body: { email, password: password!.normalize('NFD') } })
      await rest.mustNot('POST', '/api/auth/login', 'authentication_failed', { body: { email, password: 'another password' } })
    }
  },
  {
    rule: 'P60',
    title: 'a rename reaches the user\'s connections within 5 s',
    async run (stage) {
      const person = await stage.people.account()
      const connection = await stage.connect(person)
      const host = await stage.connect(stage.ann)
      const { name } = await stage.channel(stage.ann, host, [connection])
      const renamed = `${person.name} again`
      await stage.rest.must('PATCH', '/api/me', { token: person.token, body: { name: renamed } })
      const end = performance.now() + 5000 + stage.deadline
      for (;;) {
        const { seq } = await say(connection, name, 'who am I?')
        const { username } = await host.expect('the message', isMessage(name, seq))
        if (username === renamed) return
        if (performance.now() > end) throw new Deviation(`the username ${renamed} within 5 s`, username)
        await delay(200)
      }
    }
  },
  {
    rule: 'P61',
    title: 'a used refresh token gives the same successor again',
    async run ({ people, rest }) {
      const { email, password } = await people.account()
      const { refresh_token: first } = await rest.must('POST', '/api/auth/login', { body: { email, password } })
      const refresh = () => rest.must('POST', '/api/auth/refresh', { body: { refresh_token: first } })
      const [{ refresh_token: next }, { refresh_token: again }] = [await refresh(), await refresh()]
      check(typeof next === 'string' && next !== first && again === next, 'the same successor both times', 'another one')
    }
  },
  {
    rule: 'P61',
    title: 'a refresh token that is presented after its successor was used ends its login',
    async run ({ people, rest, connect }) {
      const { email, password, ...person } = await people.account()
      const login = await rest.must('POST', '/api/auth/login', { body: { email, password } })
      const connection = await connect({ ...person, token: login.access_token })
      const refresh = (token: string) => ({ body: { refresh_token: token } })
      const { refresh_token: next } = await rest.must('POST', '/api/auth/refresh', refresh(login.refresh_token))
      await rest.must('POST', '/api/auth/refresh', refresh(next))
      const { status } = await rest.call('POST', '/api/auth/refresh', refresh(login.refresh_token))
      if (status === 200) throw new Withheld('not seen', 'the time in which a used token may be presented again is not over')
      check(status === 401, 'HTTP 401 to a token that was used before its successor', `HTTP ${status}`)
      await connection.closes(4504, 'once a used refresh token is presented')
    }
  },
  {
    rule: 'P62',
    title: 'logins are listed, and the connections of one that is ended close with 4504',
    async run ({ people, rest, connect }) {
      const { email, password, ...person } = await people.account()
      const login = await rest.must('POST', '/api/auth/login', { body: { email, password }, headers: { 'user-agent': 'conformance' } })
      const connection = await connect({ ...person, token: login.access_token })
      const { logins } = await rest.must('GET', '/api/me/logins', { token: login.access_token })
      const current = logins.filter((each: { current: boolean }) => each.current)
      check(current.length === 1 && current[0].device === 'conformance', 'one current login, with its device', logins)
      await rest.must('DELETE', `/api/me/logins/${current[0].id}`, { token: person.token })
      await connection.closes(4504, 'once its login is ended')
      await rest.mustNot('DELETE', `/api/me/logins/${current[0].id}`, 'login_not_found', { token: person.token })
    }
  },
  {
    rule: 'P85',
    title: 'a refresh token in a cookie is kept from scripts, gives the next one, and ends with the logout',
    async run ({ people, rest }) {
      const { email, password } = await people.account()
      const post = (path: string, body: object, cookie = '') => rest.call('POST', `/api/auth/${path}`, { body, headers: { cookie } })
      const login = await post('login', { email, password, cookie: true })
      const [first, attributes] = cookieOf(login)
      const isKept = /;\s*HttpOnly/i.test(attributes) && /;\s*SameSite=Strict/i.test(attributes)
      check(isKept, 'a cookie with HttpOnly and SameSite=Strict', attributes)
      check(!('refresh_token' in login.body), 'an answer without refresh_token', login.body)
      const refreshed = await post('refresh', {}, first)
      const [second] = cookieOf(refreshed)
      check(!('refresh_token' in refreshed.body) && second !== first, 'the next token in the cookie, and only there', refreshed.body)
      const left = await post('logout', {}, second)
      check(left.status === 204 && /;\s*Max-Age=0/i.test(cookieOf(left)[1]), '204, and a cookie that ends', left.status)
      const refused = await post('refresh', {}, second)
      check(refused.status === 401, 'HTTP 401 after the logout', refused.status)
    }
  },
  {
    rule: 'P85',
    title: 'pages of other origins neither use the cookie nor get one',
    async run ({ people, rest }) {
      const { email, password } = await people.account()
      const login = await rest.call('POST', '/api/auth/login', { body: { email, password, cookie: true } })
      const [cookie] = cookieOf(login)
      const sites = ['cross-site', 'same-site', 'none'].map(site => ({ 'sec-fetch-site': site }))
      for (const foreign of [{ origin: 'https://elsewhere.invalid' }, ...sites]) {
        const headers = { cookie, ...foreign }
        await rest.mustNot('POST', '/api/auth/refresh', 'cross_origin', { body: {}, headers })
        await rest.mustNot('POST', '/api/auth/logout', 'cross_origin', { body: {}, headers })
        await rest.mustNot('POST', '/api/auth/login', 'cross_origin', { body: { email, password, cookie: true }, headers })
      }
      await rest.must('POST', '/api/auth/refresh', { body: {}, headers: { cookie } })
    }
  },
  {
    rule: 'P71',
    title: 'the export is NDJSON from a line export to a line end that has the number of lines between',
    async run ({ people, rest }) {
      const { token, id } = await people.account()
      const text = await rest.must('GET', '/api/me/export', { token })
      const lines = String(text).trimEnd().split('\n').map(line => JSON.parse(line))
      check(lines[0].type === 'export' && lines[0].user_id === id, 'a first line export with the user', lines[0])
      const { type, ...end } = lines.at(-1)
      check(type === 'end' && Object.values(end).includes(lines.length - 2), `a last line end with ${lines.length - 2}`, lines.at(-1))
      check(lines.some(line => line.type === 'profile'), 'a line profile', lines.map(line => line.type))
    }
  },
  {
    rule: 'P64',
    title: 'an invitation code that is unknown is refused, also where none is needed',
    async run ({ rest, run }) {
      const body = { name: run, email: `${run}-code@conformance.invalid`, password: 'correct horse', invitation_code: 'nonsense' }
      const answer = await rest.call('POST', '/api/auth/register', { body })
      if (answer.body?.code === 'registration_closed') return
      check(answer.body?.code === 'invalid_invitation_code', 'invalid_invitation_code', answer.body)
    }
  },
  {
    rule: 'P64',
    title: 'admins make and list codes, whose text only their making shows, and revoke them',
    async run ({ people, rest }) {
      const { token } = people.admin()
      const made = await rest.must('POST', '/api/admin/invitation-codes', { token, body: { uses: 2, expires_in: 60 } })
      check(typeof made.code === 'string' && made.uses_left === 2, 'a code with two uses', made)
      const { invitation_codes: codes } = await rest.must('GET', '/api/admin/invitation-codes', { token })
      const listed = codes.find(({ id }: { id: string }) => id === made.id)
      check(listed !== undefined && !('code' in listed), 'the code in the list, without its text', listed)
      await rest.must('DELETE', `/api/admin/invitation-codes/${made.id}`, { token })
      await rest.mustNot('DELETE', `/api/admin/invitation-codes/${made.id.replace(/.$/, 'x')}`, 'invitation_code_not_found', { token })
    }
  },
  {
    rule: 'P65',
    title: 'an account has a handle, which it can change, but not to one that is taken or reserved',
    async run ({ people, rest, ann, connect }) {
      const person = await people.account()
      const { data } = await (await connect(person)).ask({ type: 'authenticate', token: person.token })
      check(/^[a-z0-9][a-z0-9_]{2,31}$/.test(data?.handle), 'a handle', data)
      const change = (handle: string) => ({ token: person.token, body: { handle } })
      for (const handle of [ann.handle, 'admin', '4dm1n']) await rest.mustNot('PATCH', '/api/me', 'handle_taken', change(handle))
      const chosen = `c${person.id.replaceAll('-', '').slice(-20)}`
      const changed = await rest.must('PATCH', '/api/me', change(chosen))
      check(changed.handle === chosen, `the handle ${chosen}`, changed)
    }
  },
  {
    rule: 'P65',
    title: 'a request takes a handle instead of a user_id, in capitals too',
    async run ({ ann, ben, connect, channel }) {
      const connection = await connect(ann)
      const { name } = await channel(ann, connection)
      const data = await command(connection, 'unban_user', { channel: name, handle: ben.handle.toUpperCase() })
      check(data.user_id === ben.id, `the user ${ben.id} of the handle ${ben.handle}`, data)
      const wrong = (fields: object) => ({ command: 'unban_user', channel: name, ...fields })
      await connection.mustNot(wrong({ handle: 'nobody_has_this_0' }), 'user_not_found')
      await connection.mustNot(wrong({}), 'user_required')
      await connection.mustNot(wrong({ handle: ann.handle, user_id: ben.id }), 'invalid_frame')
    }
  },
  {
    rule: 'P46',
    title: 'users are found by the beginning of a handle, without email addresses',
    async run ({ ann, ben, connect, rest }) {
      await connect(ben)
      const found = await rest.call('GET', `/api/users?query=${ben.handle.toUpperCase()}`, { token: ann.token })
      if (found.body?.code === 'not_found') throw new Withheld('not offered', 'the server has no directory of users')
      const user = found.body?.users?.find(({ id }: { id: string }) => id === ben.id)
      check(user?.handle === ben.handle && user.online === true && !('email' in user), 'the user, online and without email', found.body)
      const { id } = await rest.must('GET', `/api/users/${ben.handle}`, { token: ann.token })
      check(id === ben.id, 'one user by handle', id)
      await rest.mustNot('GET', '/api/users/nobody_has_this_0', 'user_not_found', { token: ann.token })
    }
  },
  {
    rule: 'P75',
    title: 'a wrong code resets no password',
    async run ({ rest }) {
      await rest.mustNot('POST', '/api/auth/reset', 'invalid_code', { body: { code: 'nonsense', password: 'correct horse' } })
    }
  },
  {
    rule: 'P75',
    title: 'an admin\'s code sets a password once, and ends the logins with 4504',
    async run ({ people, rest, connect }) {
      const admin = people.admin()
      const person = await people.register('fay')
      const connection = await connect(person)
      await rest.mustNot('POST', `/api/admin/users/${admin.id}/reset`, 'not_authorized', { token: admin.token, body: {} })
      const { code } = await rest.must('POST', `/api/admin/users/${person.id}/reset`, { token: admin.token, body: {} })
      await rest.must('POST', '/api/auth/reset', { body: { code, password: person.password } })
      await connection.closes(4504, 'once the password is reset')
      await rest.mustNot('POST', '/api/auth/reset', 'invalid_code', { body: { code, password: person.password } })
    }
  },
  {
    rule: 'P76',
    title: 'an account says whether its address is verified, and a wrong code verifies none',
    async run ({ ann, rest }) {
      const me = await rest.must('GET', '/api/me', { token: ann.token })
      check(typeof me.email_verified === 'boolean', 'email_verified as true or false', me)
      await rest.mustNot('POST', '/api/auth/verify', 'invalid_code', { body: { code: 'nonsense' } })
    }
  }
]

/** The cookie that an answer sets, as `name=value`, and its attributes. */
function cookieOf ({ headers, status }: Answer): [pair: string, attributes: string] {
  const [given = ''] = headers.getSetCookie()
  const [, pair, attributes] = /^(\w[\w-]*=[^;]*)(;.*)$/s.exec(given) ?? []
  if (pair === undefined || attributes === undefined) throw new Deviation('a cookie', { status, cookie: given })
  return [pair, attributes]
}
