import type { Channel, Message } from '@parley/client'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { FormDialog } from '../ui/form-dialog.tsx'
import { openDialog } from '../ui/dialog.tsx'
import { TextArea } from '../ui/field.tsx'
import { toast } from '../ui/toast.tsx'

/** Code points of a reason, unless the server is configured otherwise. */
const MAX_REASON = 500

/** Asks why somebody reports a message, and reports it to the moderators of its channel. */
export function openReport (channel: Channel, message: Pick<Message, 'id' | 'username' | 'message'>): void {
  async function report (form: FormData): Promise<void> {
    const reason = String(form.get('reason')).trim()
    await parley.request('report_message', { channel: channel.name, id: message.id, ...reason && { reason } })
    toast(t.people.reported)
  }

  openDialog(close => (
    <FormDialog title={t.people.reportTitle} button={t.people.report} act={report} onClose={close}>
      <blockquote class='quoted'>
        <b dir='auto'>{message.username}</b>
        <p dir='auto'>{message.message}</p>
      </blockquote>
      <p class='soft'>{t.people.aboutReport}</p>
      <TextArea label={t.people.reportReason} name='reason' rows={3} maxLength={MAX_REASON} />
    </FormDialog>
  ))
}
