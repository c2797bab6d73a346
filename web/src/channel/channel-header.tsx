import type { Channel, ChannelState } from '@parley/client'
import { t } from '../text.ts'
import { IconButton, IconLink } from '../ui/button.tsx'

export interface ChannelProps { channel: Channel, state: ChannelState }

export function ChannelHeader ({ channel, state: { details }, onPeople }: ChannelProps & { onPeople (): void }) {
  return (
    <header class='channel-header'>
      <IconLink class='back' icon='back' label={t.common.back} to={{ view: 'home' }} />
      <h1 class='cut' dir='auto'>{details?.peer?.username ?? channel.name}</h1>
      {details?.topic && <p class='topic cut soft' dir='auto'>{details.topic}</p>}
      <IconButton class='people-toggle' icon='people' label={t.people.title} onClick={onPeople} />
    </header>
  )
}
