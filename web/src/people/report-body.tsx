import type { ComponentChildren } from 'preact'
import { t } from '../text.ts'
import type { Report } from './reports.tsx'
import { Sentence } from './sentence.tsx'
import { exactly, moment } from './times.ts'

/**
 * A report with the message as it was then, and how it was settled. `person` renders the people, `author` the author of the message.
 * `place` comes before everything else. `settlement` is shown while the report is open. The children are below the message.
 */
export function ReportBody ({ report, person, author, place, settlement, children }: {
  report: Omit<Report, 'channel'>, person (id: string): ComponentChildren, author: ComponentChildren, place?: ComponentChildren,
  settlement: ComponentChildren, children: ComponentChildren
}) {
  const { message, reason, reported_by: reporter, created_at: at, sent_at: sentAt, resolution, settled_by: settler } = report
  return (
    <article class='report' aria-label={t.moderation.reportOf(report.username)}>
      <p class='soft small'>
        {place}<Sentence text={t.moderation.reportedBy(moment(at))} parts={{ actor: person(reporter) }} />
      </p>
      <blockquote class='quoted'>
        {author}{' '}
        <time class='soft small' dateTime={sentAt} title={exactly(sentAt)}>{moment(sentAt)}</time>
        <p dir='auto'>{message ?? <i>{t.moderation.erasedText}</i>}</p>
      </blockquote>
      {reason && <p dir='auto'>{t.people.reason(reason)}</p>}
      {children}
      {resolution
        ? (
          <p class='soft small'>
            <Sentence text={t.moderation.resolutions[resolution](moment(report.settled_at!))} parts={{ actor: person(settler!) }} />
          </p>
          )
        : settlement}
    </article>
  )
}
