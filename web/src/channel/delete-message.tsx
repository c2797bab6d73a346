import type { Channel, Message } from '@parley/client'
import { t } from '../text.ts'
import { openDialog } from '../ui/dialog.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'

/** Asks once more before a message is deleted. */
export function openDeleteMessage (channel: Channel, message: Message): void {
  openDialog(close => (
    <FormDialog title={t.channel.deleteTitle} button={t.channel.delete} isDanger act={() => channel.remove(message.id)} onClose={close}>
      <p>{t.channel.deleteText}</p>
      <blockquote class='excerpt' dir='auto'>{message.message}</blockquote>
    </FormDialog>
  ))
}
