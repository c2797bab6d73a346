import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { attempt } from '../ui/error-text.ts'
import { Field } from '../ui/field.tsx'
import { toast } from '../ui/toast.tsx'
import { land } from './landing.ts'
import { isShown } from './places.ts'

/** Deletes a channel, once somebody has typed its name. `onDeleted` closes what is left of it. */
export function openDeleteChannel (name: string, onDeleted: () => void): void {
  openDialog(close => <DeleteChannel name={name} onClose={close} onDeleted={onDeleted} />)
}

function DeleteChannel ({ name, onClose, onDeleted }: { name: string, onClose (): void, onDeleted (): void }) {
  const typed = useSignal('')
  const isBusy = useSignal(false)
  const error = useSignal('')

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (typed.value.trim() !== name) {
      error.value = t.deleteChannel.otherName(name)
      return
    }
    isBusy.value = true
    const wasShown = isShown({ name })
    if (await attempt(() => parley.request('delete_channel', { channel: name }))) {
      onClose()
      onDeleted()
      if (wasShown) land({ view: 'home' }, { replace: true })
      toast(t.deleteChannel.done(name))
    }
    isBusy.value = false
  }

  return (
    <Dialog title={t.deleteChannel.title(name)} onClose={onClose}>
      <form class='form' onSubmit={submit}>
        <p>{t.deleteChannel.about}</p>
        <Field
          label={t.deleteChannel.label(name)} name='name' required autofocus autocomplete='off' spellcheck={false} error={error.value}
          value={typed.value} onInput={event => { typed.value = event.currentTarget.value }}
        />
        <div class='actions'>
          <Button kind='quiet' onClick={onClose}>{t.common.cancel}</Button>
          <Button kind='danger primary' type='submit' disabled={isBusy.value}>{t.deleteChannel.act}</Button>
        </div>
      </form>
    </Dialog>
  )
}
