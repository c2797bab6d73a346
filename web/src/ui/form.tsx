import { ParleyError } from '@parley/client'
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../text.ts'
import { Button } from './button.tsx'
import { errorText } from './error-text.ts'

export interface FormProps {
  /** Does what the form is for. An error that it throws is shown, and the fields keep what was typed. */
  send (fields: Record<string, string>): Promise<unknown>
  /** The fields at which errors are shown, by the errors' codes. Other errors are shown above the form. */
  at?: Partial<Record<ParleyError['code'], string>>
  /** Texts of errors that mean something else in this form than elsewhere. */
  say?: Partial<Record<ParleyError['code'], string>>
  /** The text of the button. */
  action: string
  kind?: 'primary' | 'danger primary' | undefined
  /** The fields are empty again after a success. */
  clears?: boolean
  /** Renders the fields. `errorOf` returns the error of the field of a name. */
  children (errorOf: (name: string) => string | undefined): ComponentChildren
  /** Buttons before the form's own. */
  more?: ComponentChildren
}

/** A form that sends its fields once at a time, and shows each error at the field that is to blame. */
export function Form ({ send, at = {}, say = {}, action, kind = 'primary', clears = false, children, more }: FormProps) {
  const form = useRef<HTMLFormElement>(null)
  const failure = useSignal<{ field: string, text: string } | null>(null)
  const isBusy = useSignal(false)
  useEffect(() => { form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus() }, [failure.value])

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const { elements } = form.current!
    if (isBusy.value) return
    isBusy.value = true
    failure.value = null
    try {
      await send(Object.fromEntries(new FormData(form.current!)) as Record<string, string>)
      if (clears) form.current?.reset()
    } catch (error) {
      if (!(error instanceof ParleyError)) console.error(error)
      const code = error instanceof ParleyError ? error.code : 'internal'
      const field = fieldOf(error, at)
      const isShown = field !== '' && elements.namedItem(field) !== null
      const isVague = isShown && !(code in at)
      failure.value = { field: isShown ? field : '', text: isVague ? t.common.checkField : say[code] ?? errorText(error) }
    } finally {
      isBusy.value = false
    }
  }

  return (
    <form ref={form} class='form' onSubmit={submit}>
      {failure.value?.field === '' && <p class='form-error' role='alert'>{failure.value.text}</p>}
      {children(name => failure.value?.field === name ? failure.value.text : undefined)}
      <div class='actions'>{more}<Button kind={kind} type='submit' aria-disabled={isBusy.value}>{action}</Button></div>
    </form>
  )
}

/** Returns the field that is to blame. The server names it in front of what is wrong with it: `Invalid request: email: …`. */
function fieldOf (error: unknown, at: NonNullable<FormProps['at']>): string {
  if (!(error instanceof ParleyError)) return ''
  if (error.code === 'invalid_request') return /^Invalid request: (\w+): /.exec(error.message)?.[1] ?? ''
  return at[error.code] ?? ''
}
