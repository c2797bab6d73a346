import type { Channel } from '@parley/client'
import { t } from '../text.ts'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { later, partOf } from '../ui/later.tsx'

/** Only moderators load it. */
const Moderation = later(partOf(() => import('./moderation.tsx')), module => module.Moderation)

/** Opens the moderation of a channel, for those who may moderate it: reports, the log, bans, mutes and moderators. */
export function openModeration (channel: Channel): void {
  openDialog(close => (
    <Dialog title={`${t.moderation.title}: #${channel.name}`} wide onClose={close}>
      <Moderation channel={channel} onClose={close} />
    </Dialog>
  ))
}
