import { randomUUID } from 'node:crypto'
import type { AccessClaims } from '../../src/schemas/auth.ts'
import { admin, commandWrites, gone, member, moderator, type Refusals, type Scene } from '../rights.ts'
import { urlOf } from './routes.ts'

/** A request that writes: its route as the application lists it, and the error code that refuses it after each change of rights. */
export interface Write {
  route: string
  path (scene: Scene): string
  body (scene: Scene): object
  /** False if the route takes no access token. */
  token?: false
  /** False if the request only reads the database, so that it waits for no lock. */
  locks?: false
  refusals: Refusals
}

const room = '/api/channels/:name'
const inRoom = (rest: string) => (scene: Scene): string => `/api/channels/${scene.room}${rest}`
const nothing = (): object => ({})

/** Requests for every route that is neither GET nor HEAD. Those for commands come from the table. */
export const writes: Write[] = [
  ...commandWrites.map(({ row: { rest: { route, without = [] } }, fields, refusals }): Write => ({
    route,
    path: scene => urlOf(route, fields(scene)),
    body: scene => Object.fromEntries(Object.entries(fields(scene)).filter(([name]) =>
      ![...without, 'channel', 'user_id', 'id', 'reaction'].includes(name))),
    refusals
  })),
  {
    route: 'POST /api/auth/register',
    path: () => '/api/auth/register',
    body: () => ({ email: `${randomUUID()}@example.org`, name: 'new', password: 'a new password' }),
    token: false,
    refusals: {}
  },
  {
    route: 'POST /api/auth/login',
    path: () => '/api/auth/login',
    body: ({ actor: { email, password } }) => ({ email, password }),
    token: false,
    refusals: { disabled: 'authentication_failed', erased: 'authentication_failed' }
  },
  {
    route: 'POST /api/auth/refresh',
    path: () => '/api/auth/refresh',
    body: ({ actor }) => ({ refresh_token: actor.refresh_token }),
    token: false,
    refusals: gone
  },
  {
    route: 'POST /api/auth/logout',
    path: () => '/api/auth/logout',
    body: ({ actor }) => ({ refresh_token: actor.refresh_token }),
    token: false,
    refusals: {}
  },
  {
    route: 'POST /api/auth/forgot',
    path: () => '/api/auth/forgot',
    body: ({ actor: { email } }) => ({ email }),
    token: false,
    refusals: {}
  },
  {
    route: 'POST /api/auth/reset',
    path: () => '/api/auth/reset',
    body: ({ codes }) => ({ code: codes.mailed_reset, password: 'a new password' }),
    token: false,
    refusals: { disabled: 'invalid_code', erased: 'invalid_code' }
  },
  {
    route: 'POST /api/auth/verify',
    path: () => '/api/auth/verify',
    body: ({ codes }) => ({ code: codes.verification }),
    token: false,
    refusals: { disabled: 'invalid_code', erased: 'invalid_code' }
  },
  { route: 'POST /api/me/verification', path: () => '/api/me/verification', body: nothing, locks: false, refusals: gone },
  { route: 'PATCH /api/me', path: () => '/api/me', body: () => ({ name: 'renamed' }), refusals: gone },
  {
    route: 'PATCH /api/me',
    path: () => '/api/me',
    body: ({ actor }) => ({ password: 'another password', current_password: actor.password }),
    refusals: gone
  },
  { route: 'DELETE /api/me', path: () => '/api/me', body: ({ actor }) => ({ password: actor.password }), refusals: gone },
  { route: 'DELETE /api/me/logins', path: () => '/api/me/logins', body: nothing, refusals: gone },
  { route: 'DELETE /api/me/logins/:id', path: ({ actor }) => `/api/me/logins/${sidOf(actor.access_token)}`, body: nothing, refusals: gone },
  { route: 'POST /api/directs', path: () => '/api/directs', body: ({ target }) => ({ user_id: target }), refusals: gone },
  { route: 'PUT /api/me/blocks/:user_id', path: ({ target }) => `/api/me/blocks/${target}`, body: nothing, refusals: gone },
  { route: 'DELETE /api/me/blocks/:user_id', path: ({ target }) => `/api/me/blocks/${target}`, body: nothing, refusals: gone },
  { route: `PATCH ${room}`, path: inRoom(''), body: () => ({ channel_type: 'moderator' }), refusals: admin },
  { route: `POST ${room}/messages`, path: inRoom('/messages'), body: () => ({ message: 'x' }), refusals: member },
  { route: `PUT ${room}/read`, path: inRoom('/read'), body: () => ({ seq: 0 }), locks: false, refusals: member },
  { route: `POST ${room}/signals`, path: inRoom('/signals'), body: () => ({ event: 'typing' }), locks: false, refusals: member },
  {
    route: `PUT ${room}/members/:user_id`,
    path: ({ other, actor }) => `/api/channels/${other}/members/${actor.user.id}`,
    body: nothing,
    refusals: { ...gone, demoted: 'not_authorized', banned: 'banned' }
  },
  {
    route: `DELETE ${room}/members/:user_id`,
    path: scene => `/api/channels/${scene.room}/members/${scene.actor.user.id}`,
    body: nothing,
    refusals: gone
  },
  {
    route: `PATCH ${room}/reports/:id`,
    path: ({ room, report }) => `/api/channels/${room}/reports/${report}`,
    body: () => ({ resolution: 'dismissed' }),
    refusals: moderator
  },
  {
    route: 'PATCH /api/admin/reports/:id',
    path: ({ report }) => `/api/admin/reports/${report}`,
    body: () => ({ resolution: 'dismissed' }),
    refusals: admin
  },
  {
    route: 'PATCH /api/admin/users/:id',
    path: ({ target }) => `/api/admin/users/${target}`,
    body: () => ({ role: 'admin' }),
    refusals: admin
  },
  {
    route: 'PATCH /api/admin/users/:id',
    path: ({ target }) => `/api/admin/users/${target}`,
    body: () => ({ disabled: true }),
    refusals: admin
  },
  { route: 'DELETE /api/admin/users/:id', path: ({ target }) => `/api/admin/users/${target}`, body: nothing, refusals: admin },
  {
    route: 'DELETE /api/admin/users/:id/connections',
    path: ({ target }) => `/api/admin/users/${target}/connections`,
    body: nothing,
    refusals: admin
  },
  {
    route: 'DELETE /api/admin/connections/:id',
    path: ({ connection }) => `/api/admin/connections/${connection}`,
    body: nothing,
    refusals: admin
  },
  {
    route: 'POST /api/admin/users/:id/reset',
    path: ({ target }) => `/api/admin/users/${target}/reset`,
    body: nothing,
    refusals: admin
  },
  {
    route: 'POST /api/admin/announcements',
    path: () => '/api/admin/announcements',
    body: () => ({ message: 'hear, hear' }),
    refusals: admin
  },
  { route: 'POST /api/admin/invitation-codes', path: () => '/api/admin/invitation-codes', body: nothing, refusals: admin },
  {
    route: 'DELETE /api/admin/invitation-codes/:id',
    path: ({ invitationCode }) => `/api/admin/invitation-codes/${invitationCode}`,
    body: nothing,
    refusals: admin
  }
]

function sidOf (accessToken: string): string {
  const claims: AccessClaims = JSON.parse(Buffer.from(accessToken.split('.')[1]!, 'base64url').toString())
  return claims.sid
}

/** Every route of `writes` is there, and none of them is limited. Nothing listens at the address: no request waits for a mail. */
export const withMail = { limits: { enabled: false }, mail: { url: 'smtp://127.0.0.1:1', from: 'parley@example.org' } }

export function toRequest ({ route, path, body, token }: Write, scene: Scene) {
  return {
    method: route.split(' ')[0]!,
    path: path(scene),
    body: body(scene),
    token: token === false ? undefined : scene.actor.access_token
  }
}
