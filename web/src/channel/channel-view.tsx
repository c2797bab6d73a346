import { useChannel } from '@parley/client/react'
import { ClosedChannel } from '../people/closed-channel.tsx'
import { PeoplePanel } from '../people/people-panel.tsx'
import { classes } from '../ui/button.tsx'
import { ChannelHeader } from './channel-header.tsx'
import { Composer } from './composer.tsx'
import { MessageList } from './message-list.tsx'
import { isPeopleOpen } from './people-toggle.tsx'

/** A channel: its head, its messages, and the field to write in. `message`: the id of a message that it opens at. */
export function ChannelView ({ name, message }: { name: string, message: string | undefined }) {
  const { channel, ...state } = useChannel(name)
  const hasPeople = isPeopleOpen.value && state.details?.channel_type !== 'direct'
  return (
    <article class={classes('channel', hasPeople && 'with-people')} aria-label={name}>
      <ChannelHeader channel={channel} state={state} />
      {state.state === 'closed'
        ? <ClosedChannel channel={channel} state={state} />
        : (
          <>
            <MessageList channel={channel} state={state} at={message} />
            <Composer channel={channel} state={state} />
          </>
          )}
      {hasPeople && <PeoplePanel channel={channel} state={state} onClose={() => { isPeopleOpen.value = false }} />}
    </article>
  )
}
