import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { Line } from '../lines/line.tsx'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { confirm } from '../ui/confirm.tsx'
import { attempt } from '../ui/error-text.ts'
import { toast } from '../ui/toast.tsx'
import { count } from './format.ts'
import { a } from './text.ts'

/** Tells something to everybody who is connected. What was typed stays until it is sent. */
export function Announce () {
  const text = useSignal('')
  const isBusy = useSignal(false)
  const message = text.value.trim()

  async function ask (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (message === '' || isBusy.value) return
    isBusy.value = true
    await attempt(async () => {
      const { connections } = await parley.rest('GET /api/admin/stats')
      confirm({
        title: a.announce.askTitle, text: a.announce.ask(count(connections.authenticated)), act: a.announce.send,
        async onConfirm () {
          await parley.rest('POST /api/admin/announcements', { body: { message } })
          text.value = ''
          toast(a.announce.sent)
        }
      })
    })
    isBusy.value = false
  }

  return (
    <form class='form admin-narrow' onSubmit={ask}>
      <div class='field'>
        <label for='announcement'>{a.announce.label}</label>
        <textarea
          id='announcement' class='input' rows={4} dir='auto' required maxLength={facts.maxMessageLength} value={text.value}
          onInput={event => { text.value = event.currentTarget.value }}
        />
      </div>
      {message !== '' && (
        <section class='admin-section' aria-labelledby='preview'>
          <h2 id='preview'>{a.announce.preview}</h2>
          <div class='lines'>
            <Line icon='megaphone' kind='info'><b>{t.connection.announcement}</b> <span dir='auto'>{message}</span></Line>
          </div>
        </section>
      )}
      <div class='actions'>
        <Button kind='primary' type='submit' aria-disabled={isBusy.value || message === ''}>{a.announce.offer}</Button>
      </div>
    </form>
  )
}
