import type { Channel } from '@parley/client'
import { useSignal } from '@preact/signals'
import { t } from '../text.ts'
import { Tabs } from '../ui/tabs.tsx'
import { BanList, ModeratorList, MuteList } from './moderated-lists.tsx'
import { ModerationLog } from './moderation-log.tsx'
import { openReports } from './open-reports.ts'
import { Reports } from './reports.tsx'

type Shown = 'reports' | 'log' | 'bans' | 'mutes' | 'moderators'

/** The tabs of a channel's moderation. */
export function Moderation ({ channel, onClose }: { channel: Channel, onClose (): void }) {
  const shown = useSignal<Shown>('reports')
  const tabs = [
    { id: 'reports' as const, label: t.moderation.reports, badge: openReports.value[channel.name] ?? 0 },
    { id: 'log' as const, label: t.moderation.logTitle },
    { id: 'bans' as const, label: t.moderation.bans },
    { id: 'mutes' as const, label: t.moderation.mutes },
    { id: 'moderators' as const, label: t.moderation.moderators }
  ]
  return (
    <div class='moderation'>
      <Tabs label={t.moderation.title} tabs={tabs} shown={shown.value} onShow={id => { shown.value = id }}>
        {shown.value === 'reports' && <Reports channel={channel} onClose={onClose} />}
        {shown.value === 'log' && <ModerationLog channel={channel} />}
        {shown.value === 'bans' && <BanList channel={channel} />}
        {shown.value === 'mutes' && <MuteList channel={channel} />}
        {shown.value === 'moderators' && <ModeratorList channel={channel} />}
      </Tabs>
    </div>
  )
}
