import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { land } from './landing.ts'
import { PersonPicker } from './person-picker.tsx'
import { placeOf } from './places.ts'

/** Picks the person with whom to talk directly. */
export function openNewDirect (): void {
  openDialog(close => <NewDirectDialog onClose={close} />)
}

function NewDirectDialog ({ onClose }: { onClose (): void }) {
  return (
    <Dialog title={t.direct.title} onClose={onClose}>
      <PersonPicker
        act={t.direct.open}
        onPick={async person => {
          const { channel } = await parley.request('open_direct', 'handle' in person ? person : { user_id: person.user_id })
          onClose()
          land(placeOf(channel))
        }}
      />
    </Dialog>
  )
}
