import type { Channel } from '@parley/client'
import { useReadable } from '@parley/client/react'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { go } from '../route.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { BlockSection } from './block-section.tsx'
import { CardPlace } from './card-place.tsx'
import { copy } from '../ui/copy.ts'
import { day } from './times.ts'

/** A person as messages and lists name them. `channel`: where they were met. */
export interface Met { user_id: string, username: string, channel?: Channel }

/** An entry of the directory. `isMissing`: it does not know the person, as with guests and erased accounts. */
interface Known { handle?: string | null, since?: string, isOnline?: boolean, isMissing?: boolean }

/** Opens the card of a person: who they are, and what one can do. */
export function openCard (person: Met): void {
  openDialog(close => <Card person={person} onClose={close} />)
}

function Card ({ person, onClose }: { person: Met, onClose (): void }) {
  const { user_id: id, username: name, channel } = person
  const me = useReadable(parley.account)
  const known = useKnown(id)
  const isMe = me?.user_id === id
  const canMeet = me !== null && !isMe && !known.isMissing

  function message (): void {
    onClose()
    go({ view: 'direct', user: id })
  }

  return (
    <Dialog title={name} onClose={onClose}>
      <div class='card-head'>
        <Avatar id={id} name={name} size='large' />
        <dl>
          {known.handle && <Handle handle={known.handle} />}
          {known.since && <div><dt class='unseen'>{t.people.account}</dt><dd class='soft'>{t.people.since(day(known.since))}</dd></div>}
          {known.isMissing && <div><dt class='unseen'>{t.people.account}</dt><dd class='soft'>{t.people.noAccount}</dd></div>}
          {isMe && <div><dt class='unseen'>{t.people.account}</dt><dd class='soft'>{t.people.thisIsYou}</dd></div>}
        </dl>
      </div>
      {canMeet && <Button kind='primary' onClick={message}><Icon name='send' />{t.people.message}</Button>}
      {channel && <CardPlace channel={channel} person={person} isMissing={known.isMissing ?? false} />}
      {canMeet && <BlockSection person={person} />}
    </Dialog>
  )
}

function Handle ({ handle }: { handle: string }) {
  return (
    <div>
      <dt class='unseen'>{t.people.handle}</dt>
      <dd>
        @{handle} <Button kind='link' class='small' onClick={() => copy(`@${handle}`)}>{t.people.copy}</Button>
      </dd>
    </div>
  )
}

/** Reads what the directory says of a person. Where there is no directory, nothing is known. */
function useKnown (id: string): Known {
  const known = useSignal<Known>({})
  useEffect(() => {
    const me = parley.account.getSnapshot()
    if (me?.user_id === id) known.value = { handle: me.handle }
    if (!facts.directory || !me) return
    parley.rest('GET /api/users/:id', { params: { id } }).then(
      ({ handle, created_at: since, online: isOnline }) => { known.value = { handle, since, isOnline } },
      error => { if (error.code === 'user_not_found') known.value = { isMissing: true } }
    )
  }, [id])
  return known.value
}
