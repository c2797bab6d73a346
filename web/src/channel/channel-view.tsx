import { useChannel } from '@parley/client/react'
import { useSignal } from '@preact/signals'
import { load, save } from '../keep.ts'
import { ClosedChannel } from '../people/closed-channel.tsx'
import { PeoplePanel } from '../people/people-panel.tsx'
import { ChannelHeader } from './channel-header.tsx'
import { Composer } from './composer.tsx'
import { MessageList } from './message-list.tsx'

/** A channel: its head, its messages, and the field to write in. `message`: the id of a message that it opens at. */
export function ChannelView ({ name, message }: { name: string, message: string | undefined }) {
  const { channel, ...state } = useChannel(name)
  const hasPeople = useSignal(load('people', value => value === true))
  const show = (on: boolean): void => {
    hasPeople.value = on
    save('people', on)
  }
  return (
    <div class='with-people'>
      <article class='channel' aria-label={name}>
        <ChannelHeader channel={channel} state={state} onPeople={() => show(!hasPeople.value)} />
        {state.state === 'closed'
          ? <ClosedChannel channel={channel} state={state} />
          : (
            <>
              <MessageList channel={channel} state={state} at={message} />
              <Composer channel={channel} state={state} />
            </>
            )}
      </article>
      {hasPeople.value && <PeoplePanel channel={channel} state={state} onClose={() => show(false)} />}
    </div>
  )
}
