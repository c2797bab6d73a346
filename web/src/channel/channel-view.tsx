import { useChannel } from '@parley/client/react'
import { ChannelHeader } from './channel-header.tsx'
import { Composer } from './composer.tsx'
import { MessageList } from './message-list.tsx'

/** A channel: its head, its messages, and the field to write in. `message`: the id of a message that it opens at. */
export function ChannelView ({ name, message }: { name: string, message: string | undefined }) {
  const { channel, ...state } = useChannel(name)
  return (
    <article class='channel' aria-label={name}>
      <ChannelHeader channel={channel} state={state} />
      <MessageList channel={channel} state={state} at={message} />
      <Composer channel={channel} state={state} />
    </article>
  )
}
