import { useChannel } from '@parley/client/react'
import { useEffect } from 'preact/hooks'
import { ChannelView } from '../channel/channel-view.tsx'
import { isPeopleOpen } from '../channel/people-toggle.tsx'
import { PeoplePanel } from '../people/people-panel.tsx'
import { settleFocus } from './landing.ts'

/** A channel with the panel of its people beside it, or above it where there is little room. */
export function ChannelPlace ({ name, message }: { name: string, message: string | undefined }) {
  useEffect(settleFocus, [name])
  return (
    <div class='with-people'>
      <ChannelView name={name} message={message} />
      {isPeopleOpen.value && <People name={name} />}
    </div>
  )
}

function People ({ name }: { name: string }) {
  const { channel, ...state } = useChannel(name)
  if (state.details?.peer) return null
  return <PeoplePanel channel={channel} state={state} onClose={() => { isPeopleOpen.value = false }} />
}
