import { ParleyError } from '@parley/client'
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { facts } from '../facts.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { Combobox } from '../ui/combobox.tsx'
import { attempt, errorText } from '../ui/error-text.ts'
import { Field } from '../ui/field.tsx'
import { usePeopleSearch } from './people-search.ts'

/** Somebody who was picked: by id from the directory, or by their exact handle where the server has none. */
export type Picked = { user_id: string, name: string } | { handle: string }

interface PickerProps {
  /** The label of the button that picks by handle. */
  act: string
  /** Returns a text for the end of a person's line. */
  endOf? (id: string): ComponentChildren
  onPick (person: Picked): Promise<unknown>
}

/** Finds people by the beginning of their name or handle. Where the server does not let people find each other, it takes a handle. */
export function PersonPicker (props: PickerProps) {
  return facts.directory ? <Directory {...props} /> : <ByHandle {...props} />
}

function Directory ({ endOf, onPick }: PickerProps) {
  const query = useSignal('')
  const { people, error, isLoading } = usePeopleSearch(query, { isEmptyAll: true })
  const options = people.value.map(({ id, name, handle }) => ({
    key: id,
    icon: <Avatar id={id} name={name} size='small' />,
    label: name,
    about: handle === null ? undefined : `@${handle}`,
    end: endOf?.(id),
    onChoose: () => { attempt(() => onPick({ user_id: id, name })) }
  }))
  return (
    <Combobox label={t.direct.who} placeholder={t.direct.who} query={query} options={options}>
      {!isLoading.value && (
        <p class='hint' role='status'>{error.value || (query.value === '' ? t.direct.alone : t.direct.nobody(query.value))}</p>
      )}
    </Combobox>
  )
}

function ByHandle ({ act, onPick }: PickerProps) {
  const isBusy = useSignal(false)
  const error = useSignal('')

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const handle = String(new FormData(form).get('handle')).trim().replace(/^@/, '')
    isBusy.value = true
    error.value = ''
    try {
      await onPick({ handle })
      form.reset()
    } catch (failure) {
      error.value = failure instanceof ParleyError && failure.code === 'user_not_found' ? t.direct.unknown : errorText(failure)
    }
    isBusy.value = false
  }

  return (
    <form class='form' onSubmit={submit}>
      <Field
        label={t.direct.exact} name='handle' required autofocus autocomplete='off' spellcheck={false} hint={t.direct.exactHint}
        error={error.value}
      />
      <div class='actions'><Button kind='primary' type='submit' disabled={isBusy.value}>{act}</Button></div>
    </form>
  )
}
