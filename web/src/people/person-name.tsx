import type { Channel } from '@parley/client'
import { openCard } from '../dialogs.ts'
import { labelOf, nameOf } from './names.ts'

/** The name of a person of whom only the id is known. It opens their card. */
export function PersonName ({ id, channel }: { id: string, channel: Channel }) {
  const name = nameOf(id)
  if (!name) return <b>{labelOf(id)}</b>
  return (
    <button type='button' class='person-name' onClick={() => openCard({ user_id: id, username: name, channel })}><bdi>{name}</bdi></button>
  )
}
