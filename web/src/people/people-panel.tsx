import type { ChannelProps } from '../channel/channel-header.tsx'
import { t } from '../text.ts'

/** The people of a channel, beside its messages. */
export function PeoplePanel (_: ChannelProps & { onClose (): void }) {
  return <aside aria-label={t.people.here} />
}
