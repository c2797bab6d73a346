import type { Message } from '@parley/client'
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button, classes } from '../ui/button.tsx'
import { attempt } from '../ui/error-text.ts'
import type { Report } from './reports.tsx'
import { moment } from './times.ts'

/** How many messages are shown, half of them before the reported one. */
const AROUND = 7

/** The messages around a reported one, as they are now. They are read when somebody asks for them. `children`: other links. */
export function ReportContext ({ report, channel, children }: { report: Report, channel: { name: string }, children: ComponentChildren }) {
  const messages = useSignal<Message[] | undefined>(undefined)
  const isShown = messages.value !== undefined

  async function toggle (): Promise<void> {
    if (isShown) messages.value = undefined
    else {
      await attempt(async () => {
        const query = { around: report.seq, limit: AROUND }
        const page = await parley.rest('GET /api/channels/:name/messages', { params: { name: channel.name }, query })
        messages.value = page.messages
      })
    }
  }

  return (
    <>
      <div class='report-links'>
        <Button kind='link' class='small' aria-expanded={isShown} onClick={toggle}>
          {isShown ? t.moderation.hideContext : t.moderation.showContext}
        </Button>
        {children}
      </div>
      {isShown && (
        <ol class='report-context'>
          {messages.value!.map(({ id, username, message, timestamp, deleted }) => (
            <li key={id} class={classes(id === report.message_id && 'reported')}>
              <b dir='auto'>{username}</b> <time class='soft small' dateTime={timestamp}>{moment(timestamp)}</time>
              <p dir='auto'>{deleted ? <i class='soft'>{t.moderation.deletedMessage}</i> : message}</p>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}
