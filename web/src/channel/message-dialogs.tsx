import type { Channel, Message } from '@parley/client'
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { errorText } from '../ui/error-text.ts'
import { toast } from '../ui/toast.tsx'

/** Asks once more before a message is deleted. */
export function openDelete (channel: Channel, message: Message): void {
  openDialog(close => <DeleteDialog channel={channel} message={message} onClose={close} />)
}

/** Reports a message to those who moderate the channel. */
export function openReport (message: Message): void {
  openDialog(close => <ReportDialog message={message} onClose={close} />)
}

function DeleteDialog ({ channel, message, onClose }: { channel: Channel, message: Message, onClose (): void }) {
  return (
    <ActDialog title={t.channel.deleteTitle} act={t.channel.delete} isDanger onAct={() => channel.remove(message.id)} onClose={onClose}>
      <p>{t.channel.deleteText}</p>
      <blockquote class='excerpt' dir='auto'>{message.message}</blockquote>
    </ActDialog>
  )
}

function ReportDialog ({ message, onClose }: { message: Message, onClose (): void }) {
  const reason = useSignal('')

  async function report (): Promise<void> {
    await parley.request('report_message', { channel: message.channel, id: message.id, reason: reason.value })
    toast(t.channel.reported)
  }

  return (
    <ActDialog title={t.channel.reportTitle} act={t.channel.report} onAct={report} onClose={onClose}>
      <p>{t.channel.reportText(message.username)}</p>
      <blockquote class='excerpt' dir='auto'>{message.message}</blockquote>
      <label class='field'>
        <span class='label'>{t.channel.reason}</span>
        <textarea
          class='input' rows={3} maxLength={500} dir='auto' value={reason.value}
          onInput={event => { reason.value = event.currentTarget.value }}
        />
      </label>
    </ActDialog>
  )
}

function ActDialog ({ title, act, isDanger = false, onAct, onClose, children }: {
  title: string, act: string, isDanger?: boolean, onAct (): Promise<unknown>, onClose (): void, children: ComponentChildren
}) {
  const error = useSignal('')
  const isBusy = useSignal(false)

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    isBusy.value = true
    error.value = ''
    try {
      await onAct()
      onClose()
    } catch (failure) {
      error.value = errorText(failure)
    } finally {
      isBusy.value = false
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form class='form' onSubmit={submit}>
        {children}
        {error.value && <p class='form-error' role='alert'>{error.value}</p>}
        <div class='actions'>
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type='submit' kind={isDanger ? 'danger primary' : 'primary'} disabled={isBusy.value}>{act}</Button>
        </div>
      </form>
    </Dialog>
  )
}
