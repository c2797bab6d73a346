import type { Channel, Routes } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useMemo, useRef } from 'preact/hooks'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { know } from './names.ts'
import { countReports, openReports } from './open-reports.ts'
import { createPages } from './pages.ts'
import { PagedList } from './paged-list.tsx'
import { usePoll } from './poll.ts'
import { ReportCard } from './report-card.tsx'

const PAGE = 20

export type Report = Routes['GET /api/channels/:name/reports']['answer']['reports'][number]

/** The reported messages of a channel, the newest first. */
export function Reports ({ channel, onClose }: { channel: Channel, onClose (): void }) {
  const status = useSignal<'open' | 'settled'>('open')
  const top = useRef<HTMLDivElement>(null)
  const shown = status.value
  const pages = useMemo(() => createPages<Report>(async cursor => {
    const query = { status: shown, limit: PAGE, ...cursor !== undefined && { cursor } }
    const { reports, next_cursor: next } = await parley.rest('GET /api/channels/:name/reports', { params: { name: channel.name }, query })
    know(reports)
    return { items: reports, next }
  }), [channel, shown])
  // A new report changes their number.
  usePoll(pages.refresh, `${shown} ${openReports.value[channel.name]}`)

  async function onSettled (): Promise<void> {
    await Promise.all([pages.refresh(), countReports(channel).catch(() => {})])
    // The button that had the focus is gone.
    top.current?.querySelector('button')?.focus()
  }

  return (
    <>
      <div ref={top} class='filters' role='group' aria-label={t.moderation.whichReports}>
        {(['open', 'settled'] as const).map(one => (
          <Button key={one} kind='quiet' aria-pressed={one === shown} onClick={() => { status.value = one }}>{t.moderation[one]}</Button>
        ))}
      </div>
      <PagedList pages={pages} empty={shown === 'open' ? t.moderation.noReports : t.moderation.noSettled}>
        {reports => reports.map(report => (
          <ReportCard key={report.id} report={report} channel={channel} onSettled={() => onSettled()} onClose={onClose} />
        ))}
      </PagedList>
    </>
  )
}
