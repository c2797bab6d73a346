import { ParleyError } from '@parley/client'
import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { errorText } from '../ui/error-text.ts'
import { Field } from '../ui/field.tsx'
import { Radios } from '../ui/radios.tsx'
import { land } from './landing.ts'

const MAX_NAME = 64
const MAX_TOPIC = 250
/** Beginnings of names that belong to channels of another kind. */
const RESERVED = /^(admin-|moderator-|direct-)/

/** Asks for the name, kind and topic of a new channel. `name` is what somebody has looked for already. */
export function openCreateChannel (name = ''): void {
  openDialog(close => <CreateChannelDialog name={name} onClose={close} />)
}

function CreateChannelDialog ({ name: given, onClose }: { name: string, onClose (): void }) {
  const name = useSignal(tidy(given))
  const type = useSignal<'public' | 'private'>('public')
  const topic = useSignal('')
  const taken = useSignal('')
  const error = useSignal('')
  const isBusy = useSignal(false)
  const fault = faultOf(name.value) ?? (taken.value === name.value && name.value !== '' ? t.create.taken : undefined)

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (name.value === '' || fault) return
    isBusy.value = true
    error.value = ''
    try {
      await parley.request('create_channel', {
        name: name.value, channel_type: type.value, ...topic.value.trim() !== '' && { topic: topic.value.trim() }
      })
      onClose()
      land({ view: 'channel', name: name.value })
    } catch (failure) {
      if (failure instanceof ParleyError && failure.code === 'channel_exists') taken.value = name.value
      else error.value = errorText(failure)
    } finally {
      isBusy.value = false
    }
  }

  return (
    <Dialog title={t.create.title} onClose={onClose}>
      <form class='form' onSubmit={submit}>
        {error.value && <p class='form-error' role='alert'>{error.value}</p>}
        <Field
          label={t.create.name} name='name' required maxLength={MAX_NAME} autocomplete='off' autofocus spellcheck={false}
          value={name.value} hint={t.create.rules} error={fault}
          onInput={event => { name.value = event.currentTarget.value = tidy(event.currentTarget.value) }}
        />
        <Radios
          label={t.create.type} name='type' value='public' onChange={value => { type.value = value === 'private' ? value : 'public' }}
          options={[
            { value: 'public', label: t.create.public, about: t.create.publicAbout },
            { value: 'private', label: t.create.private, about: t.create.privateAbout }
          ]}
        />
        <Field
          label={t.create.topic} name='topic' maxLength={MAX_TOPIC} autocomplete='off' value={topic.value}
          onInput={event => { topic.value = event.currentTarget.value }}
        />
        <div class='actions'>
          <Button kind='quiet' onClick={onClose}>{t.common.cancel}</Button>
          <Button kind='primary' type='submit' disabled={isBusy.value}>{t.create.act}</Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Writes a name as names of channels are: small letters, and a dash for each blank. */
function tidy (name: string): string {
  return name.trimStart().toLowerCase().replace(/\s/g, '-').slice(0, MAX_NAME)
}

/** Says what is wrong with a name, as far as the browser knows. */
function faultOf (name: string): string | undefined {
  const [wrong] = name.match(/[^a-z0-9_-]/u) ?? []
  if (wrong !== undefined) return t.create.wrongCharacter(wrong)
  if (/^[_-]/.test(name)) return t.create.wrongStart
  return RESERVED.test(name) ? t.create.reserved : undefined
}
