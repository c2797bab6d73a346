import { t } from '../text.ts'
import { Icon } from '../ui/icon.tsx'
import { untilOf } from './times.ts'

/** Stands in place of the field to write in while the user is muted. What they had begun to write is kept. */
export function MutedNotice ({ until }: { until: number }) {
  return <p class='notice' role='status'><Icon name='mute' />{t.channel.muted(untilOf(until))}</p>
}
