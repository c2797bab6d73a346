import { parley } from '../client.ts'
import type { ListedChannel } from '../shell/channel-directory.ts'
import { t } from '../text.ts'
import { openDialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { Radios } from '../ui/radios.tsx'
import { toast } from '../ui/toast.tsx'
import { a } from './text.ts'

const MAX_TOPIC = 250
const TYPES = ['public', 'private', 'moderator', 'admin'] as const

/** Opens a dialog that changes the topic and the type of a channel, without joining it. */
export function openChannelForm ({ name, topic, channel_type: type }: ListedChannel, onChanged: () => void): void {
  async function change (form: FormData): Promise<void> {
    const newTopic = String(form.get('topic'))
    const newType = form.get('channel_type') as typeof TYPES[number]
    const body = { ...newTopic !== topic && { topic: newTopic }, ...newType !== type && { channel_type: newType } }
    if (Object.keys(body).length === 0) return
    await parley.rest('PATCH /api/channels/:name', { params: { name }, body })
    toast(t.channelSettings.saved)
    onChanged()
  }

  openDialog(close => (
    <FormDialog title={a.channels.changeTitle(name)} button={t.common.save} act={change} onClose={close}>
      <Field label={t.channelSettings.topic} name='topic' maxLength={MAX_TOPIC} autocomplete='off' defaultValue={topic} dir='auto' />
      <Radios
        label={t.channelSettings.type} name='channel_type' value={type}
        options={TYPES.map(value => ({ value, label: t.channelSettings.types[value], about: t.channelSettings.typesAbout[value] }))}
      />
      <p class='soft small'>{a.channels.aboutType}</p>
    </FormDialog>
  ))
}
