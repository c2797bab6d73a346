import { Type } from '@sinclair/typebox'
import { success } from '../connections/reply.ts'
import type { Session, SessionUser } from '../connections/session.ts'
import { AppError } from '../errors.ts'
import { AnyHandle, isAbsent, isBlank, Role, Timestamp, Uuid } from '../schemas/common.ts'
import { ChannelActivity } from '../schemas/read.ts'
import { request, type RequestContext } from './row.ts'

/** Requests about the connection itself: authentication and heartbeats. */
export const requests = {
  authenticate: request({
    /** Where guests are admitted, a client without a token becomes one [P16]. */
    fields: {
      token: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      activity: Type.Optional(Type.Boolean({ description: 'whether this connection is told of activity [P44]; absent: as before' }))
    },
    who: 'anyone',
    about: 'Binds the connection to the user of an access token, or extends it with a fresh token [P10]–[P14]. ' +
      'Where guests are admitted, a client without a token becomes one [P16].',
    errors: ['token_required', 'authentication_failed', 'not_authorized'],
    reply: {
      action: 'authenticated',
      data: Type.Object({
        user_id: Uuid,
        username: Type.String(),
        handle: AnyHandle,
        email: Type.Union([Type.String(), Type.Null()]),
        role: Role,
        expires_at: Type.Union([Timestamp, Type.Null()])
      })
    },
    notices: { channel_activity: ChannelActivity },
    async answer (context, session, { token, activity: wantsActivity }) {
      const { hub, guests, activity } = context
      const { user, sid, expiresAt } = await identify(context, session, token)
      if (session.closing) {
        if (user.guest) await guests.end(user.id)
        // The connection is closing, so nobody reads the reply.
        throw new AppError('not_authenticated')
      }
      if (session.user && session.user.id !== user.id) throw new AppError('not_authorized')
      const isNew = session.user === null
      session.authenticated(user, sid, expiresAt)
      hub.identify(session, user)
      if (wantsActivity === true) await activity.watch(session)
      else if (wantsActivity === false) activity.unwatch(session)
      const reply = success('authenticated', {
        user_id: user.id,
        username: user.name,
        handle: user.handle,
        email: user.email,
        role: user.role,
        expires_at: Number.isFinite(expiresAt) ? new Date(expiresAt).toISOString() : null
      })
      return isNew ? { ...reply, after: () => hub.greet(session) } : reply
    }
  }),

  heartbeat: request({
    fields: {},
    who: 'anyone',
    about: 'Shows that the client is there, and asks for the time of the server.',
    reply: { type: 'heartbeat_ack', fields: Type.Object({ server_time: Timestamp }) },
    answer: () => ({ frame: { type: 'heartbeat_ack', server_time: new Date().toISOString() } })
  })
}

/**
 * Finds a token's user, or makes a guest if there is no token. A bad token never makes a guest.
 * @throws AppError `token_required`, `authentication_failed`; for a guest as `guests.admit`.
 */
async function identify (
  { auth, guests, admitsGuests }: RequestContext, { user: current, subject }: Session, token: string | null | undefined
): Promise<{ user: SessionUser, sid: string | null, expiresAt: number }> {
  if (isAbsent(token) && admitsGuests) return guests.admit(current, subject)
  if (isBlank(token)) throw new AppError('token_required')
  const { user: { id, name, handle, email, role, disconnects }, sid, expiresAt } = await auth.verifyAccess(token!)
  return { user: { id, name, handle, email, role, guest: false, disconnects }, sid, expiresAt }
}
