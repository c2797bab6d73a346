import type { Routes } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { parley } from '../client.ts'
import { know } from '../people/names.ts'
import { createPages } from '../people/pages.ts'
import { PagedList } from '../people/paged-list.tsx'
import { usePoll } from '../people/poll.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { AdminReport } from './admin-report.tsx'
import { focusTitle } from './focus.ts'
import { a } from './text.ts'

const PAGE = 20

export type Report = Routes['GET /api/admin/reports']['answer']['reports'][number]

/** The reported messages of all channels, the newest first. */
export function AllReports () {
  const status = useSignal<'open' | 'settled'>('open')
  const shown = status.value
  const pages = useMemo(() => createPages<Report>(async cursor => {
    const query = { status: shown, limit: PAGE, ...cursor !== undefined && { cursor } }
    const { reports, next_cursor: next } = await parley.rest('GET /api/admin/reports', { query })
    know(reports)
    return { items: reports, next }
  }), [shown])
  usePoll(pages.refresh, shown)

  async function onSettled (): Promise<void> {
    focusTitle()
    await pages.refresh()
  }

  return (
    <>
      <div class='filters' role='group' aria-label={t.moderation.whichReports}>
        {(['open', 'settled'] as const).map(one => (
          <Button key={one} kind='quiet' aria-pressed={one === shown} onClick={() => { status.value = one }}>{t.moderation[one]}</Button>
        ))}
      </div>
      <PagedList pages={pages} empty={shown === 'open' ? a.reports.none : t.moderation.noSettled}>
        {reports => reports.map(report => <AdminReport key={report.id} report={report} onSettled={onSettled} />)}
      </PagedList>
    </>
  )
}
