import { AppError } from '../errors.ts'
import { MAX_USERS_PER_PAGE, type CommandType, type RequestFrame, type RequestType } from '../schemas/protocol.ts'
import type { Auth } from '../services/auth.ts'
import type { Guests } from '../services/guests.ts'
import { fitPage } from '../services/paging.ts'
import { createChannelCommands, type ChannelCommandDeps } from './channel-commands.ts'
import { encodeError, encodeSent, fields, isCommandType, isRequestType, unknown, type Envelope } from './codec.ts'
import { createJoin, type JoinDeps } from './join.ts'
import { success, type Reply } from './reply.ts'
import type { Session, SessionUser } from './session.ts'
import type { Traffic } from './traffic.ts'

export interface CommandDeps extends JoinDeps, ChannelCommandDeps {
  auth: Pick<Auth, 'verifyAccess'>
  guests: Guests
  traffic: Traffic
  /** False: whoever brings no token is a guest [P16]. */
  authenticationEnabled: boolean
}

type Handlers = { [T in Exclude<RequestType, 'send_message'>]: (session: Session, frame: RequestFrame<T>) => Promise<Reply> | Reply }

/** What a client may ask, by `type`: each handler calls one service and says what the reply is. */
export function createCommands (deps: CommandDeps) {
  const { hub, auth, guests, channels, memberships, messages, traffic, authenticationEnabled, maxItems } = deps

  const handlers: Handlers = {
    async authenticate (session, { token }) {
      if (isBlank(token) && (token === '' || authenticationEnabled)) throw new AppError('token_required')
      const { user, sid, expiresAt } = isBlank(token) ? await guests.admit(session.user) : await verify(token!)
      if (session.closing) {
        if (user.guest) await guests.end(user.id)
        // Nobody reads it.
        return success('authenticated', {})
      }
      if (session.user && session.user.id !== user.id) throw new AppError('not_authorized')
      const isNew = session.user === null
      session.authenticated(user, sid, expiresAt)
      hub.identify(session, user)
      const reply = success('authenticated', {
        user_id: user.id,
        username: user.name,
        email: user.email,
        role: user.role,
        expires_at: Number.isFinite(expiresAt) ? new Date(expiresAt).toISOString() : null
      })
      return isNew ? { ...reply, after: () => hub.greet(session) } : reply
    },

    join_channel: createJoin(deps),

    async leave_channel (session, { channel }) {
      await memberships.leave(session.actor, channel, session.id)
      hub.unsubscribe(session, channel)
      return success('channel_left', { channel })
    },

    heartbeat: () => ({ frame: { type: 'heartbeat_ack', server_time: new Date().toISOString() } }),

    async channel_list (session, query) {
      // `query` is the frame: its `type` is not the kind of channels to list.
      const page = await channels.list(session.actor, { ...query, type: undefined })
      const online = await channels.onlineCounts(page.channels.map(({ channel }) => channel.id))
      const rows = page.channels.map(({ channel: { id, name, channel_type, user_count }, isMember }, i) =>
        ({ id, name, channel_type, user_count, online_count: online[i], joined: isMember }))
      const { items, next_cursor } = fitPage({ items: rows, next_cursor: page.next_cursor }, ({ name }) => name, maxItems)
      return { frame: { type: 'channel_list', channels: items, next_cursor } }
    },

    async user_list (session, { channel, limit = MAX_USERS_PER_PAGE, cursor }) {
      return { frame: { type: 'user_list', channel, ...await channels.online(session.actor, channel, { limit, cursor }, maxItems) } }
    }
  }

  async function verify (token: string): Promise<{ user: SessionUser, sid: string, expiresAt: number }> {
    const { user: { id, name, email, role, disconnects }, sid, expiresAt } = await auth.verifyAccess(token)
    return { user: { id, name, email, role, guest: false, disconnects }, sid, expiresAt }
  }

  const channelCommands = createChannelCommands(deps)

  /** In the order of [P9], as far as no service is needed. */
  function admit (session: Session, type: RequestType | CommandType): void {
    if (session.user === null && type !== 'authenticate' && type !== 'heartbeat') throw new AppError('not_authenticated')
  }

  return {
    /** Answers any request but a send. @throws AppError */
    handle (session: Session, { type, command, body }: Envelope): Promise<Reply> | Reply {
      if (command !== undefined) {
        if (!isCommandType(command)) throw unknown('unknown_command', command)
        admit(session, command)
        const handler = channelCommands[command] as (session: Session, frame: object) => Promise<Reply>
        return handler(session, fields(command, body))
      }
      if (!isRequestType(type)) throw unknown('unknown_type', type)
      admit(session, type)
      const handler = handlers[type as keyof Handlers] as (session: Session, frame: object) => Promise<Reply> | Reply
      return handler(session, fields(type, body))
    },

    /** Queues a message; its finished reply goes to `done` once it is stored or refused. @throws AppError, before it is queued. */
    handleSend (session: Session, request: Envelope, done: (reply: Buffer) => void): void {
      admit(session, 'send_message')
      const { ref, channel, message, client_id: clientId } = fields('send_message', request.body)
      messages.checkText(message)
      const subscription = session.subscriptions.get(channel)
      if (!subscription) throw new AppError('not_in_channel')
      const { userId, sid } = session.actor
      const { name: username } = session.user!
      // Field by field: to spread the actor takes ten times as long, for every message.
      messages.send({ userId, sid, channelId: subscription.id, channel, username, text: message, clientId }, (error, receipt) => {
        // The ban has ended the subscription, which this instance is about to find.
        if (error?.code === 'banned' && subscription.leaving.has(userId)) error = new AppError('not_in_channel')
        if (error) traffic.errors[error.code]++
        // The subscription may have ended without this instance having heard of it.
        if (error?.code === 'channel_not_found' || error?.code === 'not_in_channel') hub.doubts.channels([subscription.id])
        if (!error) traffic.sent.success++
        done(error ? encodeError(error, ref) : encodeSent(receipt!, ref))
      })
    }
  }
}

export type Commands = ReturnType<typeof createCommands>

function isBlank (token: string | null | undefined): boolean {
  return !token || !/\S/.test(token)
}
