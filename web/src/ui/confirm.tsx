import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { t } from '../text.ts'
import { Button } from './button.tsx'
import { Dialog, openDialog } from './dialog.tsx'
import { attempt } from './error-text.ts'

interface Question {
  title: string
  /** Says what will happen. */
  text: ComponentChildren
  /** The label of the button that does it. */
  act: string
  isDanger?: boolean
  onConfirm (): Promise<unknown>
}

/** Asks once more before something is done, and stays open if that fails. */
export function confirm (question: Question): void {
  openDialog(close => <Confirm {...question} onClose={close} />)
}

function Confirm ({ title, text, act, isDanger, onConfirm, onClose }: Question & { onClose (): void }) {
  const isBusy = useSignal(false)

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    isBusy.value = true
    if (await attempt(onConfirm)) onClose()
    else isBusy.value = false
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form class='form' onSubmit={submit}>
        <p>{text}</p>
        <div class='actions'>
          <Button kind='quiet' onClick={onClose}>{t.common.cancel}</Button>
          <Button kind={isDanger ? 'danger primary' : 'primary'} type='submit' disabled={isBusy.value}>{act}</Button>
        </div>
      </form>
    </Dialog>
  )
}
