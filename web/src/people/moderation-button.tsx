import type { Channel } from '@parley/client'
import { useEffect } from 'preact/hooks'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { openModeration } from './moderation-dialog.tsx'
import { countReports, openReports } from './open-reports.ts'

/** Opens the moderation of a channel, and shows how many reports wait there. */
export function ModerationButton ({ channel }: { channel: Channel }) {
  const count = openReports.value[channel.name] ?? 0
  // Without the number there is no badge. The reports themselves show why they cannot be read.
  useEffect(() => { countReports(channel).catch(() => {}) }, [channel])
  return (
    <Button onClick={() => openModeration(channel)}>
      <Icon name='admin' />{t.moderation.title}
      {count > 0 && <span class='badge' aria-hidden='true'>{count > 99 ? '99+' : count}</span>}
      {count > 0 && <span class='unseen'>{t.moderation.openReports(count)}</span>}
    </Button>
  )
}
