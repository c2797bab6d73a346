import type { Channel, ChannelDetails, Fields } from '@parley/client'
import { useChannel } from '@parley/client/react'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { errorText } from '../ui/error-text.ts'
import { Field } from '../ui/field.tsx'
import { Loading } from '../ui/loading.tsx'
import { Radios } from '../ui/radios.tsx'
import { Select } from '../ui/select.tsx'
import { toast } from '../ui/toast.tsx'
import { openDeleteChannel } from './delete-channel-dialog.tsx'

type Changes = Omit<Fields<'update_channel'>, 'channel'>
type ChannelType = NonNullable<Changes['channel_type']>

const MAX_TOPIC = 250
/** Seconds. */
const SLOW_MODES = [0, 5, 10, 30, 60, 300, 900, 3600, 21_600]
/** Days; 0 stands for good. */
const RETENTIONS = [0, 1, 7, 30, 90, 365]

/** Opens the settings of a channel: its topic and slow mode for moderators, all of them for its creator and administrators. */
export function openChannelSettings (channel: Channel): void {
  openDialog(close => <ChannelSettings name={channel.name} onClose={close} />)
}

function ChannelSettings ({ name, onClose }: { name: string, onClose (): void }) {
  const { details } = useChannel(name)
  const isOwner = useSignal<boolean | undefined>(undefined)
  useEffect(() => {
    const me = parley.account.getSnapshot()
    parley.rest('GET /api/channels/:name', { params: { name } }).then(
      ({ created_by: creator }) => { isOwner.value = me?.role === 'admin' || creator === me?.user_id },
      // The dialog still has what moderators may change.
      () => { isOwner.value = me?.role === 'admin' }
    )
  }, [])
  return (
    <Dialog title={t.channelSettings.title(name)} onClose={onClose}>
      {details && isOwner.value !== undefined
        ? <SettingsForm name={name} details={details} isOwner={isOwner.value} onClose={onClose} />
        : <Loading />}
    </Dialog>
  )
}

function SettingsForm ({ name, details, isOwner, onClose }: { name: string, details: ChannelDetails, isOwner: boolean, onClose (): void }) {
  const error = useSignal('')
  const isBusy = useSignal(false)
  // The form keeps what somebody chooses, also when the settings change meanwhile.
  const wanted = useSignal<Changes>({})
  const shown = { ...details, ...wanted.value }
  const want = (change: Changes): void => { wanted.value = { ...wanted.value, ...change } }

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    error.value = ''
    if (Object.keys(wanted.value).length === 0) return onClose()
    isBusy.value = true
    try {
      await parley.request('update_channel', { channel: name, ...wanted.value })
      onClose()
      toast(t.channelSettings.saved)
    } catch (failure) {
      error.value = errorText(failure)
      isBusy.value = false
    }
  }

  return (
    <form class='form' onSubmit={submit}>
      {error.value && <p class='form-error' role='alert'>{error.value}</p>}
      <Field
        label={t.channelSettings.topic} name='topic' maxLength={MAX_TOPIC} autocomplete='off' value={shown.topic}
        onInput={event => want({ topic: event.currentTarget.value })}
      />
      <Select
        label={t.channelSettings.slowMode} name='slow_mode' hint={t.channelSettings.slowModeHint} value={String(shown.slow_mode)}
        options={choicesOf(SLOW_MODES, details.slow_mode, t.channelSettings.seconds)} onChange={value => want({ slow_mode: Number(value) })}
      />
      {isOwner && <OwnerFields details={details} retention={shown.retention} onChange={want} />}
      <div class='actions'>
        {isOwner && (
          <Button kind='danger' class='apart' onClick={() => openDeleteChannel(name, onClose)}>{t.channelSettings.delete}</Button>
        )}
        <Button kind='quiet' onClick={onClose}>{t.common.cancel}</Button>
        <Button kind='primary' type='submit' disabled={isBusy.value}>{t.common.save}</Button>
      </div>
    </form>
  )
}

function OwnerFields ({ details, retention, onChange }: {
  details: ChannelDetails, retention: number | null, onChange (change: Changes): void
}) {
  const isAdmin = parley.account.getSnapshot()?.role === 'admin'
  const types = (['public', 'private', 'moderator', 'admin'] as const).filter(type => isAdmin || type === 'public' || type === 'private')
  return (
    <>
      <Radios
        label={t.channelSettings.type} name='channel_type' value={details.channel_type}
        options={types.map(value => ({ value, label: t.channelSettings.types[value], about: t.channelSettings.typesAbout[value] }))}
        onChange={value => onChange({ channel_type: value as ChannelType })}
      />
      <Select
        label={t.channelSettings.retention} name='retention' hint={t.channelSettings.retentionHint} value={String(retention ?? 0)}
        options={choicesOf(RETENTIONS, details.retention ?? 0, t.channelSettings.days)}
        onChange={value => onChange({ retention: Number(value) || null })}
      />
    </>
  )
}

/** The usual values, and the current one among them. */
function choicesOf (usual: readonly number[], current: number, textOf: (value: number) => string): Array<[value: string, text: string]> {
  return [...new Set([...usual, current])].sort((a, b) => a - b).map(value => [String(value), textOf(value)])
}
