import type { Channel, Person } from '@parley/client'
import { memo } from 'preact/compat'
import { parley } from '../client.ts'
import { openCard } from '../dialogs.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { classes } from '../ui/button.tsx'

interface RowProps { person: Person, channel: Channel, isHere: boolean, place: 'creator' | 'moderator' | undefined }

/** A person in a list of people, who opens their card. */
export const PersonRow = memo(function PersonRow ({ person, channel, isHere, place }: RowProps) {
  const { user_id: id, username: name } = person
  const isMe = parley.account.getSnapshot()?.user_id === id
  const open = (): void => openCard({ user_id: id, username: name, channel })
  return (
    <li>
      <button type='button' class={classes('person-row', !isHere && 'away')} onClick={open}>
        <span class='with-presence'>
          <Avatar id={id} name={name} size='small' />
          {isHere && <span class='presence here' />}
        </span>
        <span class='cut' dir='auto'>{name}</span>
        {isMe && <span class='soft small'>{t.common.you}</span>}
        {place && <span class='tag'>{t.people[place]}</span>}
      </button>
    </li>
  )
})
