import { Type, type Static, type TObject } from '@sinclair/typebox'
import type { LocalChannel } from '../connections/channel.ts'
import type { Hub } from '../connections/hub.ts'
import { success, type Reply } from '../connections/reply.ts'
import type { Session } from '../connections/session.ts'
import { AppError } from '../errors.ts'
import { jsonSize } from '../frame-size.ts'
import { ChannelName, Seq, Uuid } from '../schemas/common.ts'
import type { Entry } from '../schemas/message.ts'
import type { Joined } from '../store/memberships.ts'
import type { RequestContext } from './row.ts'

export const joinFields = {
  channel: ChannelName,
  since: Type.Optional(Seq),
  channel_id: Type.Optional(Uuid),
  history: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 }))
}

/**
 * The beginning of a join's stream: the live stream follows after `seq`. `messages` holds the entries before it that were requested. If
 * not all of them can be had, it holds none, and `recovered` is false.
 */
interface Start { seq: number, recovered: boolean, messages: Entry[] }

/**
 * Joins a channel: makes the user a member, attaches the session so that what arrives is kept, reads history, then answers and goes live.
 * So nothing is lost or doubled between `messages` and the live stream [P30] [P31]. @throws AppError
 */
export async function join (context: RequestContext, session: Session, fields: Static<TObject<typeof joinFields>>): Promise<Reply> {
  const { hub, memberships } = context
  const { channel: channelName, since, channel_id: channelId, history } = fields
  if (since !== undefined && channelId === undefined) throw new AppError('invalid_frame', { detail: 'channel_id: required with since' })
  const joined = await memberships.join(session.actor, channelName)
  if (session.closing) throw new AppError('not_in_channel')

  const before = session.subscriptions.get(channelName)
  if (before && before.id !== joined.channelId) hub.unsubscribe(session, channelName)
  // A repeated join must not go back to entries that this connection has already received.
  const position = before?.id === joined.channelId ? before.position(session) : undefined
  if (position !== undefined && since === undefined && history === undefined) {
    return reply(before!, joined, { seq: position, recovered: false, messages: [] })
  }
  // The topic leaves less room for messages.
  const maxItems = context.maxItems - jsonSize(joined.settings.topic)

  const channel = hub.attach(session, channelName, joined)
  const seq = Math.max(channel.sequencer.last, joined.lastSeq)
  let start: Start = { seq, recovered: false, messages: [] }
  try {
    if (since !== undefined && channelId === channel.id) start = await resume({ ...context, maxItems }, channel, seq, since)
    else if (since === undefined && history !== undefined) start = await newest({ ...context, maxItems }, channel, seq, history)
  } catch (error) {
    fallBack(hub, session, channel, position)
    throw error
  }
  if (session.subscriptions.get(channelName) !== channel) throw new AppError('not_in_channel')
  if (channel.overflowed(session)) start = { seq: channel.sequencer.last, recovered: false, messages: [] }
  return { ...reply(channel, joined, start), after: () => hub.goLive(session, channel, start.seq) }
}

/** Reads all entries that the client missed, or none if they are too many or incomplete [P30]. */
async function resume (
  { messages, resumeLimit, maxItems }: RequestContext, channel: LocalChannel, seq: number, since: number
): Promise<Start> {
  const lost = { seq, recovered: false, messages: [] }
  const missed = seq - since
  if (missed < 0 || missed > resumeLimit) return lost
  if (missed === 0) return { ...lost, recovered: true }
  const entries = await messages.entries(channel.id, since, seq, missed, maxItems)
  const isWhole = entries.length === missed && entries.reduce((sum, entry) => sum + sizeOf(entry), 0) <= maxItems
  return isWhole ? { seq, recovered: true, messages: entries } : lost
}

/** Reads the last `count` messages, or as many of them as a reply may hold [P31]. */
async function newest ({ messages, maxItems }: RequestContext, channel: LocalChannel, seq: number, count: number): Promise<Start> {
  const found: Entry[] = (await messages.newest(channel.id, seq, count)).map(message => ({ type: 'message', ...message }))
  let left = maxItems
  const oldest = found.findLastIndex(entry => (left -= sizeOf(entry)) < 0)
  return { seq, recovered: false, messages: found.slice(oldest + 1) }
}

/** Handles a failed read of history: an earlier subscription goes on from its position, a new one ends. */
function fallBack (hub: Hub, session: Session, channel: LocalChannel, position: number | undefined): void {
  if (session.subscriptions.get(channel.name) !== channel) return
  if (position === undefined) hub.unsubscribe(session, channel.name)
  else if (channel.overflowed(session)) session.close('slow_consumer')
  else hub.goLive(session, channel, position)
}

function reply (channel: LocalChannel, { settings: { channel_type, ...settings }, userCount, place }: Joined, start: Start): Reply {
  const { name, id } = channel
  return success('channel_joined', { channel: name, channel_id: id, channel_type, ...start, ...settings, user_count: userCount, me: place })
}

/** Bytes that the entry takes as JSON in the reply's `messages`, including the comma after it. */
function sizeOf (entry: Entry): number {
  return jsonSize(entry) + 1
}
