import { AppError } from '../errors.ts'
import type { Entry } from '../schemas/message.ts'
import type { RequestFrame } from '../schemas/protocol.ts'
import type { Memberships } from '../services/memberships.ts'
import type { Messages } from '../services/messages.ts'
import type { LocalChannel } from './channel.ts'
import type { Hub } from './hub.ts'
import type { Reply, Session } from './session.ts'

export interface JoinDeps {
  hub: Hub
  memberships: Memberships
  messages: Messages
  resumeLimit: number
  /** Bytes that `messages` of a join may take. */
  maxReplay: number
}

type JoinFrame = RequestFrame<'join_channel'>

/** What a join starts with: everything up to `seq` is either in `messages` or not asked for; the live stream follows. */
interface Start { seq: number, recovered: boolean, messages: Entry[] }

/**
 * Joining: subscribe and keep what arrives, then read membership and history, then answer and go live, so that between
 * `messages` and the live stream nothing is lost or doubled [P30] [P31].
 */
export function createJoin ({ hub, memberships, messages, resumeLimit, maxReplay }: JoinDeps) {
  async function resume (channel: LocalChannel, seq: number, since: number): Promise<Start> {
    const lost = { seq, recovered: false, messages: [] }
    const missed = seq - since
    if (missed < 0 || missed > resumeLimit) return lost
    if (missed === 0) return { ...lost, recovered: true }
    const entries = await messages.entries(channel.id, since, seq, missed)
    const isWhole = entries.length === missed && sizeOf(entries) <= maxReplay
    return isWhole ? { seq, recovered: true, messages: entries } : lost
  }

  async function newest (channel: LocalChannel, seq: number, count: number): Promise<Start> {
    const found: Entry[] = (await messages.newest(channel.id, seq, count)).map(message => ({ type: 'message', ...message }))
    while (sizeOf(found) > maxReplay) found.shift()
    return { seq, recovered: false, messages: found }
  }

  return async (session: Session, { channel: name, since, channel_id: channelId, history }: JoinFrame): Promise<Reply> => {
    if (since !== undefined && channelId === undefined) throw new AppError('invalid_frame', { detail: 'channel_id: required with since' })
    const joined = await memberships.join(session.userId!, name)
    if (session.closing) throw new AppError('not_in_channel')

    const before = session.subscriptions.get(name)
    const replaced = before !== undefined && before.id !== joined.channelId
    if (replaced) hub.unsubscribe(session, name)
    const isSubscribed = before !== undefined && !replaced
    const channel = hub.attach(session, name, joined)
    // What this connection's stream has delivered so far; only a reply with history may be ahead of it.
    const delivered = channel.sequencer.last
    const seq = Math.max(delivered, joined.lastSeq)

    let start: Start
    if (since !== undefined) {
      start = channelId === channel.id ? await resume(channel, seq, since) : { seq, recovered: false, messages: [] }
    } else if (history !== undefined) {
      start = await newest(channel, seq, history)
    } else {
      start = { seq: isSubscribed ? delivered : seq, recovered: false, messages: [] }
    }
    if (session.subscriptions.get(name) !== channel) throw new AppError('not_in_channel')
    if (channel.overflowed(session)) start = { seq: channel.sequencer.last, recovered: false, messages: [] }

    const data = { channel: name, channel_id: channel.id, channel_type: joined.channelType, ...start }
    return {
      frame: { type: 'success', action: 'channel_joined', data },
      after: () => hub.goLive(session, channel, start.seq)
    }
  }
}

/** About as many bytes as the entries take on the wire. */
function sizeOf (entries: Entry[]): number {
  return entries.reduce((sum, entry) => sum + Buffer.byteLength(JSON.stringify(entry)), 0)
}
