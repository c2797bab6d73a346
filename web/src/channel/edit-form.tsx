import type { Message } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { facts } from '../facts.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { errorText } from '../ui/error-text.ts'
import { GrowingField, lengthOf } from './growing-field.tsx'
import { useTalk } from './talk.ts'

/** The field in which a message is edited, in its place. What was typed stays until it is saved or given up. */
export function EditForm ({ message: { id, message: before } }: { message: Message }) {
  const { channel, editing, active, focusComposer } = useTalk()
  const field = useRef<HTMLTextAreaElement>(null)
  const error = useSignal('')
  const isBusy = useSignal(false)
  const text = editing.value?.text ?? ''
  const isTooLong = lengthOf(text) > facts.maxMessageLength

  useEffect(() => {
    field.current!.focus()
    field.current!.setSelectionRange(text.length, text.length)
  }, [])

  function end (): void {
    active.value = id
    editing.value = undefined
    focusComposer()
  }

  async function save (): Promise<void> {
    if (isBusy.value || isTooLong || text.trim() === '') return
    if (text === before) return end()
    isBusy.value = true
    error.value = ''
    try {
      await channel.edit(id, text)
      end()
    } catch (failure) {
      error.value = errorText(failure)
    } finally {
      isBusy.value = false
    }
  }

  return (
    <form
      class='edit'
      onSubmit={event => {
        event.preventDefault()
        save()
      }}
      onKeyDown={event => {
        if (event.key !== 'Escape' || event.isComposing) return
        event.stopPropagation()
        end()
      }}
    >
      <GrowingField
        field={field} label={t.channel.editing} text={text} onText={next => { editing.value = { id, text: next } }} onEnter={save}
      />
      {error.value && <p class='form-error' role='alert'>{error.value}</p>}
      {isTooLong && <p class='form-error' role='alert'>{t.channel.tooLong(lengthOf(text) - facts.maxMessageLength)}</p>}
      <div class='choices'>
        <Button kind='primary' type='submit' disabled={isBusy.value || isTooLong || text.trim() === ''}>{t.common.save}</Button>
        <Button kind='quiet' onClick={end}>{t.common.cancel}</Button>
      </div>
    </form>
  )
}
