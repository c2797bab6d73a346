import type { Channel, ChannelDetails, Message } from '@parley/client'
import { signal, type Signal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'

/** The state that the parts of a channel's view share: the message that has the focus, is edited or replied to, and so on. */
export interface Talk {
  channel: Channel
  /** Settings of the channel and the user's place in it. */
  place: Signal<ChannelDetails | undefined>
  /** The user may write here now. */
  mayWrite: Signal<boolean>
  /** The message that the next one replies to. */
  replyTo: Signal<Message | undefined>
  /** The message of this user that is being edited, with the text so far. It outlives a row that is scrolled out of sight. */
  editing: Signal<{ id: string, text: string } | undefined>
  /** The id of the message that the keyboard is at. */
  active: Signal<string | undefined>
  /** The id of the message that was jumped to. */
  target: Signal<string | undefined>
  /** The field to write in takes the focus. */
  focusComposer: () => void
  /** Shows a message, which may be far above. */
  jumpTo: (id: string) => void
  /** Shows the newest messages. */
  jumpToEnd: () => void
}

const nothing = (): void => {}
/** The talks by user and channel, so that a begun reply or edit is still there when somebody comes back to the channel. */
const talks = new Map<string, Talk>()

/** Returns what this user is about to do in a channel. */
export function talkOf (channel: Channel, userId = ''): Talk {
  const key = `${userId} ${channel.name}`
  const talk = talks.get(key) ?? createTalk(channel)
  talks.set(key, talk)
  return talk
}

function createTalk (channel: Channel): Talk {
  return {
    channel,
    place: signal(undefined), mayWrite: signal(false),
    replyTo: signal(undefined), editing: signal(undefined), active: signal(undefined), target: signal(undefined),
    focusComposer: nothing, jumpTo: nothing, jumpToEnd: nothing
  }
}

export const TalkContext = createContext<Talk | null>(null)

/** Returns what is shared by the parts of the channel's view. */
export function useTalk (): Talk {
  return useContext(TalkContext)!
}
