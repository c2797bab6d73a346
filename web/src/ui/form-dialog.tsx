import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../text.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { errorText } from './error-text.ts'

/**
 * A dialog with a form. `act` gets what was filled in; when it is done, the dialog closes. If it fails, the dialog stays, with the error
 * and with everything that was typed. It stays too if `mayAct` refuses what was filled in, which then shows why.
 */
export function FormDialog ({ title, button, isDanger = false, mayAct, act, onClose, children }: {
  title: string, button: string, isDanger?: boolean, mayAct? (form: FormData): boolean, act (form: FormData): Promise<unknown>,
  onClose (): void, children: ComponentChildren
}) {
  const error = useSignal('')
  const isBusy = useSignal(false)
  const form = useRef<HTMLFormElement>(null)
  // The first field has the focus, or the button that does nothing.
  useEffect(() => { form.current!.querySelector<HTMLElement>('input, select, textarea, button')?.focus() }, [])

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const filled = new FormData(event.currentTarget as HTMLFormElement)
    if (isBusy.value || mayAct?.(filled) === false) return
    isBusy.value = true
    error.value = ''
    try {
      await act(filled)
      onClose()
    } catch (failure) {
      error.value = errorText(failure)
    } finally {
      isBusy.value = false
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form ref={form} class='form' onSubmit={submit}>
        {error.value && <p class='form-error' role='alert'>{error.value}</p>}
        {children}
        <div class='actions'>
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type='submit' kind={isDanger ? 'danger primary' : 'primary'} aria-disabled={isBusy.value}>{button}</Button>
        </div>
      </form>
    </Dialog>
  )
}
