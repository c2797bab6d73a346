import { ParleyError } from '@parley/client'
import { parley } from '../client.ts'
import { openAct } from '../people/act-dialog.tsx'
import { ReportContext } from '../people/report-context.tsx'
import { Sentence } from '../people/sentence.tsx'
import { exactly, moment } from '../people/times.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { confirm } from '../ui/confirm.tsx'
import { attempt } from '../ui/error-text.ts'
import type { Report } from './all-reports.tsx'
import { Name } from './name.tsx'
import { a } from './text.ts'

/** A report of any channel with the message as it was then, and what an administrator can do about it. */
export function AdminReport ({ report, onSettled }: { report: Report, onSettled (): Promise<void> }) {
  const { channel, message, reason, reported_by: reporter, created_at: at, sent_at: sentAt, resolution, settled_by: settler } = report
  return (
    <article class='report' aria-label={t.moderation.reportOf(report.username)}>
      <p class='soft small'>
        <b>#{channel}</b> · <Sentence text={t.moderation.reportedBy(moment(at))} parts={{ actor: <Name id={reporter} /> }} />
      </p>
      <blockquote class='quoted'>
        <b dir='auto'>{report.username}</b>{' '}
        <time class='soft small' dateTime={sentAt} title={exactly(sentAt)}>{moment(sentAt)}</time>
        <p dir='auto'>{message ?? <i>{t.moderation.erasedText}</i>}</p>
      </blockquote>
      {reason && <p dir='auto'>{t.people.reason(reason)}</p>}
      <ReportContext report={report} channel={{ name: channel }}>
        <Link to={{ view: 'channel', name: channel, message: report.message_id }} class='small'>{t.moderation.showInChannel}</Link>
      </ReportContext>
      {resolution
        ? (
          <p class='soft small'>
            <Sentence text={t.moderation.resolutions[resolution](moment(report.settled_at!))} parts={{ actor: <Name id={settler!} /> }} />
          </p>
          )
        : <Settlement report={report} onSettled={onSettled} />}
    </article>
  )
}

function Settlement ({ report, onSettled }: { report: Report, onSettled (): Promise<void> }) {
  const { id, channel, user_id: author, username, message_id: messageId } = report
  const settle = (resolution: 'dismissed' | 'removed' | 'sanctioned') =>
    parley.rest('PATCH /api/admin/reports/:id', { params: { id }, body: { resolution } })

  async function settleNow (resolution: 'dismissed' | 'sanctioned'): Promise<void> {
    await attempt(() => settle(resolution))
    await onSettled()
  }

  const remove = (): void => confirm({
    title: t.moderation.removeTitle, text: <>{t.moderation.aboutRemove} {a.reports.whose(username, `#${channel}`)}</>,
    act: t.moderation.remove, isDanger: true,
    async onConfirm () {
      try {
        await parley.rest('DELETE /api/channels/:name/messages/:id', { params: { name: channel, id: messageId } })
      } catch (error) {
        // Somebody has deleted it before, or its channel.
        if (!(error instanceof ParleyError) || !['message_not_found', 'channel_not_found'].includes(error.code)) throw error
      }
      await settle('removed')
      await onSettled()
    }
  })
  const sanction = (act: 'mute' | 'ban'): void => {
    openAct(act, parley.channel(channel), { user_id: author, username }, () => settleNow('sanctioned'))
  }
  return (
    <div class='card-acts'>
      <Button onClick={() => settleNow('dismissed')}>{t.moderation.dismiss}</Button>
      <Button kind='danger' onClick={remove}>{t.moderation.removeMessage}</Button>
      <Button kind='danger' onClick={() => sanction('mute')}>{t.moderation.muteAuthor}</Button>
      <Button kind='danger' onClick={() => sanction('ban')}>{t.moderation.banAuthor}</Button>
    </div>
  )
}
