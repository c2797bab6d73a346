import type { Channel } from '@parley/client'
import { t } from '../text.ts'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { later } from '../ui/later.tsx'

/** Only moderators load it. */
const Moderation = later(async () => (await import('./moderation.tsx')).Moderation)

/** Opens the moderation of a channel, for those who may moderate it: reports, the log, bans, mutes and moderators. */
export function openModeration (channel: Channel): void {
  openDialog(close => (
    <Dialog title={`${t.moderation.title}: #${channel.name}`} wide onClose={close}>
      <Moderation channel={channel} onClose={close} />
    </Dialog>
  ))
}
