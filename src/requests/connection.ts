import { Type } from '@sinclair/typebox'
import { success } from '../connections/reply.ts'
import type { SessionUser } from '../connections/session.ts'
import { AppError } from '../errors.ts'
import { Role, Timestamp, Uuid } from '../schemas/common.ts'
import { ChannelActivity } from '../schemas/read.ts'
import { request, type RequestContext } from './row.ts'

/** Requests about the connection itself: authentication and heartbeats. */
export const requests = {
  authenticate: request({
    /** Where authentication is off, a client without a token becomes a guest [P16]. */
    fields: {
      token: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      /** Whether this connection is told of activity [P44]; absent: as before. */
      activity: Type.Optional(Type.Boolean())
    },
    who: 'anyone',
    reply: {
      action: 'authenticated',
      data: Type.Object({
        user_id: Uuid,
        username: Type.String(),
        email: Type.Union([Type.String(), Type.Null()]),
        role: Role,
        expires_at: Type.Union([Timestamp, Type.Null()])
      })
    },
    notices: { channel_activity: ChannelActivity },
    async answer (context, session, { token, activity: wantsActivity }) {
      const { hub, guests, activity } = context
      const { user, sid, expiresAt } = await identify(context, session.user, token)
      if (session.closing) {
        if (user.guest) await guests.end(user.id)
        // The connection is closing, so nobody reads the reply.
        return success('authenticated', {})
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
    reply: { type: 'heartbeat_ack', fields: Type.Object({ server_time: Timestamp }) },
    answer: () => ({ frame: { type: 'heartbeat_ack', server_time: new Date().toISOString() } })
  })
}

/** Finds a token's user, or makes a guest. @throws AppError `token_required`, `authentication_failed`; for a guest as `guests.admit`. */
async function identify (
  { auth, guests, authenticationEnabled }: RequestContext, current: SessionUser | null, token: string | null | undefined
): Promise<{ user: SessionUser, sid: string | null, expiresAt: number }> {
  if (!token || !/\S/.test(token)) {
    if (token === '' || authenticationEnabled) throw new AppError('token_required')
    return guests.admit(current)
  }
  const { user: { id, name, email, role, disconnects }, sid, expiresAt } = await auth.verifyAccess(token)
  return { user: { id, name, email, role, guest: false, disconnects }, sid, expiresAt }
}
