import type { Channel } from '@parley/client'
import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { PersonPicker, type Picked } from './person-picker.tsx'

/** Invites people into a channel, one after the other. */
export function openInvite (channel: Channel): void {
  openDialog(close => <InviteDialog channel={channel} onClose={close} />)
}

function InviteDialog ({ channel: { name }, onClose }: { channel: Channel, onClose (): void }) {
  const invited = useSignal<ReadonlySet<string>>(new Set())
  const said = useSignal('')

  async function invite (person: Picked): Promise<void> {
    const whom = 'handle' in person ? person : { user_id: person.user_id }
    const { user_id: id } = await parley.request('invite_user', { channel: name, ...whom })
    invited.value = new Set([...invited.value, id])
    said.value = t.invite.done('handle' in person ? `@${person.handle}` : person.name)
  }

  return (
    <Dialog title={t.invite.title(name)} onClose={onClose}>
      <PersonPicker
        act={t.invite.act} onPick={invite}
        endOf={id => invited.value.has(id) && <span class='done'><Icon name='check' />{t.invite.invited}</span>}
      />
      <p class='soft small' role='status'>{said.value || t.invite.hint}</p>
    </Dialog>
  )
}
