import { ParleyError, type Channel } from '@parley/client'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { openDialog } from '../ui/dialog.tsx'
import { attempt } from '../ui/error-text.ts'
import { openAct } from './act-dialog.tsx'
import { PersonName } from './person-name.tsx'
import { ReportBody } from './report-body.tsx'
import { ReportContext } from './report-context.tsx'
import type { Report } from './reports.tsx'
import { rosterOf } from './roster.ts'

/** A report with the message as it was then, and what a moderator can do about it. */
export function ReportCard ({ report, channel, onSettled, onClose }: {
  report: Report, channel: Channel, onSettled (): void, onClose (): void
}) {
  return (
    <ReportBody
      report={report}
      person={id => <PersonName id={id} channel={channel} />}
      author={<PersonName id={report.user_id} channel={channel} />}
      settlement={<Settlement report={report} channel={channel} onSettled={onSettled} />}
    >
      <ReportContext report={report} channel={channel}>
        <Link to={{ view: 'channel', name: channel.name, message: report.message_id }} class='small' onFollow={onClose}>
          {t.moderation.showInChannel}
        </Link>
      </ReportContext>
    </ReportBody>
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
