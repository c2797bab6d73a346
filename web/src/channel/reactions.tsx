import type { Channel, Message } from '@parley/client'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { attempt } from '../ui/error-text.ts'
import { ReactionPicker } from './reaction-picker.tsx'
import { useTalk } from './talk.ts'

type Reaction = NonNullable<Message['reactions']>[number]

/** Shows the reactions to a message with their numbers. A click adds the user's own reaction, or takes it back. */
export function Reactions ({ message: { id, reactions = [] }, isActive }: { message: Message, isActive: boolean }) {
  const { channel } = useTalk()
  if (reactions.length === 0) return null
  return (
    <div class='reactions'>
      {reactions.map(reaction => <Chip key={reaction.reaction} id={id} reaction={reaction} isActive={isActive} />)}
      <ReactionPicker tabIndex={isActive ? 0 : -1} onPick={reaction => { attempt(() => channel.react(id, reaction)) }} />
    </div>
  )
}

function Chip ({ id, reaction: { reaction, count, user_ids: ids }, isActive }: { id: string, reaction: Reaction, isActive: boolean }) {
  const { channel } = useTalk()
  const me = parley.account.getSnapshot()?.user_id
  const isOwn = me !== undefined && ids.includes(me)
  const who = t.channel.reactedBy(namesOf(channel, ids, me), count - ids.length, reaction)
  return (
    <button
      type='button' class='chip' tabIndex={isActive ? 0 : -1} aria-pressed={isOwn} aria-label={`${reaction} ${count}: ${who}`} title={who}
      onClick={() => { attempt(() => channel.react(id, reaction, !isOwn)) }}
    >
      <span dir='auto'>{reaction}</span><span class='count'>{count}</span>
    </button>
  )
}

/** Returns the names of people, as far as they are known from messages and presence. */
function namesOf (channel: Channel, ids: string[], me: string | undefined): string[] {
  const known = new Map(channel.presence.getSnapshot().online.map(({ user_id: id, username }) => [id, username]))
  const { messages } = channel.getSnapshot()
  return ids.map(id => {
    if (id === me) return t.common.you
    return known.get(id) ?? messages.findLast(message => message.user_id === id)?.username ?? t.channel.someone
  })
}
