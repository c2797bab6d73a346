import { Type, type Static, type TObject } from '@sinclair/typebox'
import type { RequestCost } from '../connections/limits.ts'
import { encodeError, encodeSent, success, type Reply } from '../connections/reply.ts'
import type { Session } from '../connections/session.ts'
import type { Traffic } from '../connections/traffic.ts'
import { AppError } from '../errors.ts'
import { compile, type Check } from '../schemas/common.ts'
import { Ref } from '../schemas/protocol.ts'
import { decode, unknown, type Envelope } from './envelope.ts'
import type { CommandRow, RequestContext, Row } from './row.ts'
import { requests, table } from './table.ts'
import { hasTarget, resolveTarget } from './target.ts'

type SendFields = { ref?: Ref } & Static<TObject<typeof requests.send_message.fields>>

const checks = Object.fromEntries(Object.entries(table).map(([name, { fields }]) =>
  [name, compile(Type.Object({ ref: Type.Optional(Ref), ...fields }), 'invalid_frame')])) as Record<string, Check<never>>
const checkSend = checks.send_message as (body: unknown) => SendFields

/** Answers the requests of clients over WebSocket, as the rows of the table describe them. */
export function createRequests (context: RequestContext & { traffic: Traffic }) {
  const { hub, messages, traffic } = context

  return {
    read: decode,

    /** The limit that a request counts towards, besides those of all frames [P35]. */
    costOf ({ kind, command }: Envelope): RequestCost | undefined {
      if (command !== undefined) return 'command'
      const row = table[kind]
      return row?.kind === 'request' ? row.cost : undefined
    },

    /** Answers any request but `send_message`. @throws AppError */
    handle (session: Session, { type, command, kind, body }: Envelope): Promise<Reply> | Reply {
      const row = table[kind]
      if (!row) throw command === undefined ? unknown('unknown_type', type) : unknown('unknown_command', command)
      admit(session, row)
      const fields = checks[kind]!(body)
      if (hasTarget(row.fields)) return resolveTarget(context, fields as object).then(known => answer(row, session, known as never))
      return answer(row, session, fields)
    },

    /** Queues a message. `done` receives the reply once the message is stored or refused. @throws AppError before it queues the message. */
    handleSend (session: Session, request: Envelope, done: (reply: Buffer) => void): void {
      admit(session, requests.send_message)
      const { ref, channel, message, client_id: clientId, reply_to: replyTo, data: value } = checkSend(request.body)
      const text = messages.checkText(message, value)
      const data = messages.encodeData(value)
      const subscription = session.subscriptions.get(channel)
      if (!subscription) throw new AppError('not_in_channel')
      const { userId, sid } = session.actor
      const { name: username } = session.user!
      // Copy the fields one by one: spreading the actor takes ten times as long, for every message.
      const draft = { userId, sid, channelId: subscription.id, channelName: channel, username, text, clientId, replyTo, data }
      messages.send(draft, (error, receipt) => {
        if (!error) {
          traffic.sent.success++
          return done(encodeSent(receipt!, ref))
        }
        // According to the bus, the ban has also ended the membership, so the subscription is about to end.
        const shown = error.code === 'banned' && subscription.leaving.has(userId) ? new AppError('not_in_channel') : error
        const { code } = shown
        traffic.errors[code]++
        // The membership may have ended without this instance having heard of it: have it checked.
        if (code === 'channel_not_found' || code === 'not_in_channel') hub.doubts.channels([subscription.id])
        done(encodeError(shown, ref))
      })
    }
  }

  function answer (row: Row, session: Session, fields: never): Promise<Reply> | Reply {
    return row.kind === 'command' ? run(row, session, fields) : row.answer!(context, session, fields)
  }

  async function run (row: CommandRow, session: Session, fields: { channel?: string }): Promise<Reply> {
    if (row.subscribed && !session.subscriptions.has(fields.channel!)) throw new AppError('not_in_channel')
    const result = await row.run(context, session.actor, fields as never)
    return success(row.reply.action, row.shown?.of(result as never) ?? result as object)
  }
}

/** Refuses requests of connections that are not authenticated, except those that are open to anyone [P10]. */
function admit ({ user }: Session, { who }: Row): void {
  if (user === null && who !== 'anyone') throw new AppError('not_authenticated')
}
