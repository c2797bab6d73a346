import { ParleyError, type Channel } from '@parley/client'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { openDialog } from '../ui/dialog.tsx'
import { attempt } from '../ui/error-text.ts'
import { openAct } from './act-dialog.tsx'
import { PersonName } from './person-name.tsx'
import { ReportContext } from './report-context.tsx'
import type { Report } from './reports.tsx'
import { rosterOf } from './roster.ts'
import { Sentence } from './sentence.tsx'
import { exactly, moment } from './times.ts'

/** A report with the message as it was then, and what a moderator can do about it. */
export function ReportCard ({ report, channel, onSettled, onClose }: {
  report: Report, channel: Channel, onSettled (): void, onClose (): void
}) {
  const { message, reason, reported_by: reporter, created_at: at, sent_at: sentAt, resolution, settled_by: settler } = report
  return (
    <article class='report' aria-label={t.moderation.reportOf(report.username)}>
      <p class='soft small'>
        <Sentence text={t.moderation.reportedBy(moment(at))} parts={{ actor: <PersonName id={reporter} channel={channel} /> }} />
      </p>
      <blockquote class='quoted'>
        <PersonName id={report.user_id} channel={channel} />{' '}
        <time class='soft small' dateTime={sentAt} title={exactly(sentAt)}>{moment(sentAt)}</time>
        <p dir='auto'>{message ?? <i>{t.moderation.erasedText}</i>}</p>
      </blockquote>
      {reason && <p dir='auto'>{t.people.reason(reason)}</p>}
      <ReportContext report={report} channel={channel}>
        <Link to={{ view: 'channel', name: channel.name, message: report.message_id }} class='small' onFollow={onClose}>
          {t.moderation.showInChannel}
        </Link>
      </ReportContext>
      {resolution
        ? (
          <p class='soft small'>
            <Sentence
              text={t.moderation.resolutions[resolution](moment(report.settled_at!))}
              parts={{ actor: <PersonName id={settler!} channel={channel} /> }}
            />
          </p>
          )
        : <Settlement report={report} channel={channel} onSettled={onSettled} />}
    </article>
  )
}

function Settlement ({ report, channel, onSettled }: { report: Report, channel: Channel, onSettled (): void }) {
  const { id, user_id: author, message_id: messageId } = report
  const person = { user_id: author, username: report.username }

  async function settle (resolution: 'dismissed' | 'removed' | 'sanctioned'): Promise<void> {
    await attempt(() => parley.rest('PATCH /api/channels/:name/reports/:id', { params: { name: channel.name, id }, body: { resolution } }))
    onSettled()
  }

  async function remove (): Promise<void> {
    try {
      await channel.remove(messageId)
    } catch (error) {
      // Somebody has deleted it before.
      if (!(error instanceof ParleyError) || error.code !== 'message_not_found') throw error
    }
    await settle('removed')
  }

  function askToRemove (): void {
    openDialog(close => (
      <FormDialog title={t.moderation.removeTitle} button={t.moderation.remove} isDanger act={remove} onClose={close}>
        <p>{t.moderation.aboutRemove}</p>
        <blockquote class='quoted'><p dir='auto'>{report.message}</p></blockquote>
      </FormDialog>
    ))
  }

  const sanction = (act: 'mute' | 'ban'): void => openAct(act, channel, person, () => settle('sanctioned'))
  const canSanction = rosterOf(channel).value.creator !== author
  return (
    <div class='card-acts'>
      <Button onClick={() => settle('dismissed')}>{t.moderation.dismiss}</Button>
      <Button kind='danger' onClick={askToRemove}>{t.moderation.removeMessage}</Button>
      {canSanction && <Button kind='danger' onClick={() => sanction('mute')}>{t.moderation.muteAuthor}</Button>}
      {canSanction && <Button kind='danger' onClick={() => sanction('ban')}>{t.moderation.banAuthor}</Button>}
    </div>
  )
}
