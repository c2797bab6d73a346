import { ParleyError } from '@parley/client'
import { parley } from '../client.ts'
import { openAct } from '../people/act-dialog.tsx'
import { ReportBody } from '../people/report-body.tsx'
import { ReportContext } from '../people/report-context.tsx'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { confirm } from '../ui/confirm.tsx'
import { attempt } from '../ui/error-text.ts'
import type { Report } from './all-reports.tsx'
import { Name } from './name.tsx'
import { a } from './text.ts'

/** A report of any channel with the message as it was then, and what an administrator can do about it. */
export function AdminReport ({ report, onSettled }: { report: Report, onSettled (): Promise<void> }) {
  const { channel } = report
  return (
    <ReportBody
      report={report}
      person={id => <Name id={id} />}
      author={<b dir='auto'>{report.username}</b>}
      place={<><b>#{channel}</b> · </>}
      settlement={<Settlement report={report} onSettled={onSettled} />}
    >
      <ReportContext report={report} channel={{ name: channel }}>
        <Link to={{ view: 'channel', name: channel, message: report.message_id }} class='small'>{t.moderation.showInChannel}</Link>
      </ReportContext>
    </ReportBody>
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
