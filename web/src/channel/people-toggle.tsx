import type { Channel } from '@parley/client'
import { useReadable } from '@parley/client/react'
import { effect, signal } from '@preact/signals'
import { load, save } from '../keep.ts'
import { t } from '../text.ts'
import { Icon } from '../ui/icon.tsx'

/** Whether the people of a channel are shown beside it, for all channels alike. */
export const isPeopleOpen = signal(load('people', value => value === true))
effect(() => save('people', isPeopleOpen.value))

/** Shows how many people are here now, and opens and closes the list of them. */
export function PeopleToggle ({ channel }: { channel: Channel }) {
  const { count } = useReadable(channel.presence)
  const label = t.channelMenu.people(count)
  return (
    <button
      type='button' class='icon-button people-toggle' aria-pressed={isPeopleOpen.value} aria-label={label} title={label}
      onClick={() => { isPeopleOpen.value = !isPeopleOpen.value }}
    >
      <Icon name='people' />{count > 0 && <span class='small'>{count}</span>}
    </button>
  )
}
