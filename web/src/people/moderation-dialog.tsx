import type { Channel } from '@parley/client'
import { lazy, Suspense } from 'preact/compat'
import { t } from '../text.ts'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { Loading } from '../ui/loading.tsx'

/** Only moderators load it. */
const Moderation = lazy(() => import('./moderation.tsx'))

/** Opens the moderation of a channel, for those who may moderate it: reports, the log, bans, mutes and moderators. */
export function openModeration (channel: Channel): void {
  openDialog(close => (
    <Dialog title={`${t.moderation.title}: #${channel.name}`} wide onClose={close}>
      <Suspense fallback={<Loading />}><Moderation channel={channel} onClose={close} /></Suspense>
    </Dialog>
  ))
}
