import { useInbox } from '@parley/client/react'
import { useSignal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../text.ts'
import { Combobox } from '../ui/combobox.tsx'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { createChannelDirectory } from './channel-directory.ts'
import { actions, choose, fromChannels, fromDirectory, fromPeople } from './jump-entries.tsx'
import { usePeopleSearch } from './people-search.ts'

const MAX_SHOWN = 30

/** Opens the dialog in which one types the beginning of where one wants to go. */
export function openJump (): void {
  openDialog(close => <JumpDialog onClose={close} />)
}

function JumpDialog ({ onClose }: { onClose (): void }) {
  const query = useSignal('')
  const { channels, directs } = useInbox()
  const [directory] = useState(createChannelDirectory)
  const { people } = usePeopleSearch(query, { isEmptyAll: false })
  useEffect(() => { directory.read(true) }, [])
  const wanted = query.value.trim()
  const entries = [
    ...fromChannels([...channels, ...directs]),
    ...wanted !== '' ? fromPeople(people.value, directs) : [],
    ...wanted !== '' ? fromDirectory(directory.channels.value, channels) : [],
    ...actions(wanted)
  ]
  const options = choose(entries, wanted).slice(0, MAX_SHOWN).map(entry => ({
    ...entry,
    onChoose () {
      onClose()
      entry.onChoose()
    }
  }))
  return (
    <Dialog title={t.jump.title} onClose={onClose}>
      <Combobox label={t.jump.label} placeholder={t.jump.label} query={query} options={options}>
        <p class='hint'>{t.jump.nothing}</p>
      </Combobox>
    </Dialog>
  )
}
