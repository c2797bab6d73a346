import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { BusEvent, EntriesEvent, NoticeEvent, Topic } from '../broker/broker.ts'
import { Entry, keyOf } from '../schemas/message.ts'
import { readFrames } from './frames.ts'

const entrySchema = TypeCompiler.Compile(Entry)

/** Frame types that no notice has, because their place among the replies or in a channel's sequence has a meaning. */
const NOT_NOTICES: ReadonlySet<unknown> = new Set([
  'welcome', 'success', 'error', 'heartbeat_ack', 'channel_list', 'user_list', 'message', 'message_edited', 'message_deleted',
  'reaction_added', 'reaction_removed'
])

/** The control actions that each kind of topic may carry. */
const ACTIONS = {
  channel: ['membership_ended', 'channel_deleted', 'settings_changed', 'mute_changed'],
  user: ['user_changed', 'disconnect', 'direct_opened'],
  broadcast: [] as string[],
  activity: ['channels_active', 'membership_began'],
  watchers: ['stats_wanted'],
  stats: ['stats_taken']
}

/**
 * Checks an event that came over the bus, as far as that is possible without the database [P60].
 * @param channel the channel's name, if the topic is a channel.
 * @param maxNotice most bytes of all frames of a notice event.
 * @throws for an event that no instance can have published on this topic.
 */
export function checkHint (topic: Topic, event: BusEvent, channel: string | undefined, maxNotice: number): BusEvent {
  const kind = topic.split(':', 1)[0] as keyof typeof ACTIONS
  if (event.kind === 'notice') return checkNotice(event, channel, maxNotice)
  if (event.kind === 'entries') {
    if (channel === undefined) throw new Error(`entries on ${kind}`)
    return checkEntries(event, channel)
  }
  if (!ACTIONS[kind].includes(event.action.type)) throw new Error(`${event.action.type} on ${kind}`)
  return event
}

function checkEntries ({ firstSeq, frames, ends }: EntriesEvent, channel: string): EntriesEvent {
  const found = readFrames(frames)
  if (ends.length === 0 || found.ends.length !== ends.length || found.ends.some((end, i) => end !== ends[i])) {
    throw new Error('entries: frames and their ends disagree')
  }
  const keys = found.values.map((value, i) => {
    if (!entrySchema.Check(value) || value.channel !== channel || value.seq !== firstSeq + i) {
      throw new Error('entries: not of this channel and seq')
    }
    return keyOf(value)
  })
  return { kind: 'entries', firstSeq, frames, ends, keys, isHint: true }
}

function checkNotice ({ frame }: NoticeEvent, channel: string | undefined, maxNotice: number): NoticeEvent {
  if (frame.length === 0 || frame.length > maxNotice) throw new Error(`notice: ${frame.length} bytes`)
  const values = readFrames(frame).values as Array<Record<string, unknown> | null>
  for (const value of values) {
    const type = value?.type
    if (typeof type !== 'string' || NOT_NOTICES.has(type)) throw new Error('notice: of no type that a notice has')
    if (channel !== undefined && value!.channel !== channel) throw new Error('notice: of another channel')
  }
  return { kind: 'notice', frame, isSignal: values.every(value => value!.type === 'signal') }
}
