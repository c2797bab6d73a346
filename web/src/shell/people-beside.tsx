import { useChannel } from '@parley/client/react'
import type { ComponentChildren } from 'preact'
import { isPeopleOpen } from '../channel/people-toggle.tsx'
import { PeoplePanel } from '../people/people-panel.tsx'

/** A channel with the panel of its people beside it, or above it where there is little room. */
export function PeopleBeside ({ name, children }: { name: string, children: ComponentChildren }) {
  return (
    <div class='with-people'>
      {children}
      {isPeopleOpen.value && <People name={name} />}
    </div>
  )
}

function People ({ name }: { name: string }) {
  const { channel, ...state } = useChannel(name)
  if (state.details?.peer) return null
  return <PeoplePanel channel={channel} state={state} onClose={() => { isPeopleOpen.value = false }} />
}
