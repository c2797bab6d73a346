import { Type, type Static, type TObject } from '@sinclair/typebox'
import type { LocalChannel } from '../connections/channel.ts'
import type { Hub } from '../connections/hub.ts'
import { success, type Reply } from '../connections/reply.ts'
import type { Session } from '../connections/session.ts'
import { AppError } from '../errors.ts'
import { jsonSize } from '../frame-size.ts'
import { ChannelName, EntryId, Seq, Uuid } from '../schemas/common.ts'
import type { Entry } from '../schemas/message.ts'
import type { Joined } from '../store/memberships.ts'
import type { RequestContext } from './row.ts'

export const joinFields = {
  channel: ChannelName,
  since: Type.Optional({ ...Seq, description: 'resume after this entry [P30]' }),
  since_id: Type.Optional({ ...EntryId, description: 'the id of the entry at `since` [P37]' }),
  channel_id: Type.Optional({ ...Uuid, description: 'the channel\'s id, required with `since`' }),
  history: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'so many last messages [P31]' }))
}

type JoinFields = Static<TObject<typeof joinFields>>

/** The place in the channel's sequence after which the live stream follows. `last_id`: the id of its entry, null where it is unknown. */
interface Head { seq: number, last_id: string | null }

/** The requested entries before the live stream. If not all of them can be had, there are none, and `recovered` is false. */
interface Start { recovered: boolean, messages: Entry[] }

const NOTHING: Start = { recovered: false, messages: [] }

/**
 * Joins a channel: makes the user a member, attaches the session so that what arrives is kept, reads history, then answers and goes live.
 * So nothing is lost or doubled between `messages` and the live stream, which follows after `seq` [P30] [P31]. @throws AppError
 */
export async function join (context: RequestContext, session: Session, fields: JoinFields): Promise<Reply> {
  const { hub, memberships } = context
  const { channel: channelName, since, history } = fields
  checkSince(fields)
  const joined = await memberships.join(session.actor, channelName).catch(async error => {
    const isBanned = error instanceof AppError && error.code === 'banned'
    throw isBanned ? new AppError('banned', { ban: await memberships.ban(session.actor.userId, channelName) }) : error
  })
  if (session.closing) throw new AppError('not_in_channel')

  const before = session.subscriptions.get(channelName)
  if (before && before.id !== joined.channelId) hub.unsubscribe(session, channelName)
  // A repeated join must not go back to entries that this connection has already received.
  const position = before?.id === joined.channelId ? before.position(session) : undefined
  if (position !== undefined && since === undefined && history === undefined) {
    return reply(before!, joined, headAt(position, joined, before!), NOTHING)
  }
  // The topic leaves less room for messages.
  const maxItems = context.maxItems - jsonSize(joined.settings.topic)

  const channel = hub.attach(session, channelName, joined)
  let head = headAt(Math.max(channel.sequencer.last, joined.lastSeq), joined, channel)
  let start: Start
  try {
    start = await read({ ...context, maxItems }, channel, head.seq, fields)
  } catch (error) {
    fallBack(hub, session, channel, position)
    throw error
  }
  if (session.subscriptions.get(channelName) !== channel) throw new AppError('not_in_channel')
  if (channel.overflowed(session)) {
    head = headAt(channel.sequencer.last, joined, channel)
    start = NOTHING
  }
  return { ...reply(channel, joined, head, start), after: () => hub.goLive(session, channel, head.seq) }
}

function checkSince ({ since, since_id: sinceId, channel_id: channelId }: JoinFields): void {
  if (since !== undefined && channelId === undefined) throw new AppError('invalid_frame', { detail: 'channel_id: required with since' })
  if (since === undefined && sinceId !== undefined) throw new AppError('invalid_frame', { detail: 'since: required with since_id' })
}

/** Reads what the client asks for of the entries up to `seq`. */
async function read (context: RequestContext, channel: LocalChannel, seq: number, fields: JoinFields): Promise<Start> {
  const { since, since_id: sinceId, channel_id: channelId, history } = fields
  if (since === undefined) return history === undefined ? NOTHING : newest(context, channel, seq, history)
  if (channelId !== channel.id) return NOTHING
  const [start, isSame] = await Promise.all([
    resume(context, channel, seq, since),
    sinceId === undefined || isEntryAt(context, channel, since, sinceId)
  ])
  return isSame ? start : NOTHING
}

/** Adds the id of the entry at `seq`, which is the channel's last at the time of the join or the last delivered. */
function headAt (seq: number, joined: Joined, { sequencer }: LocalChannel): Head {
  if (seq === joined.lastSeq) return { seq, last_id: joined.lastId }
  return { seq, last_id: seq === sequencer.last ? sequencer.lastId : null }
}

/** Whether the channel's entry at `seq` is the one that the client knows: after a restore of the database it may be another [P37]. */
async function isEntryAt ({ messages }: RequestContext, channel: LocalChannel, seq: number, id: string | null): Promise<boolean> {
  return id === null ? seq === 0 : await messages.entryId(channel.id, seq) === id
}

/** Reads all entries that the client missed, or none if they are too many or incomplete [P30]. */
async function resume (
  { messages, resumeLimit, maxItems }: RequestContext, channel: LocalChannel, seq: number, since: number
): Promise<Start> {
  const missed = seq - since
  if (missed < 0 || missed > resumeLimit) return NOTHING
  if (missed === 0) return { recovered: true, messages: [] }
  const entries = await messages.entries(channel.id, since, seq, missed, maxItems, true)
  const isWhole = entries.length === missed && entries.reduce((sum, entry) => sum + sizeOf(entry), 0) <= maxItems
  return isWhole ? { recovered: true, messages: entries } : NOTHING
}

/** Reads the last `count` messages, or as many of them as a reply may hold [P31]. */
async function newest ({ messages, maxItems }: RequestContext, channel: LocalChannel, seq: number, count: number): Promise<Start> {
  const found: Entry[] = (await messages.newest(channel.id, seq, count)).map(message => ({ type: 'message', ...message }))
  let left = maxItems
  const oldest = found.findLastIndex(entry => (left -= sizeOf(entry)) < 0)
  return { recovered: false, messages: found.slice(oldest + 1) }
}

/** Handles a failed read of history: an earlier subscription goes on from its position, a new one ends. */
function fallBack (hub: Hub, session: Session, channel: LocalChannel, position: number | undefined): void {
  if (session.subscriptions.get(channel.name) !== channel) return
  if (position === undefined) hub.unsubscribe(session, channel.name)
  else if (channel.overflowed(session)) session.close('slow_consumer')
  else hub.goLive(session, channel, position)
}

function reply (channel: LocalChannel, joined: Joined, head: Head, start: Start): Reply {
  const { name, id } = channel
  const { settings: { channel_type, ...settings }, userCount, place, peer } = joined
  return success('channel_joined', {
    channel: name, channel_id: id, channel_type, ...head, ...start, ...settings, user_count: userCount, me: place, ...peer && { peer }
  })
}

/** Bytes that the entry takes as JSON in the reply's `messages`, including the comma after it. */
function sizeOf (entry: Entry): number {
  return jsonSize(entry) + 1
}
