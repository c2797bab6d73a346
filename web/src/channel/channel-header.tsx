import type { Channel, ChannelState } from '@parley/client'
import { t } from '../text.ts'
import { IconLink } from '../ui/button.tsx'

export interface ChannelProps { channel: Channel, state: ChannelState }

export function ChannelHeader ({ channel, state: { details } }: ChannelProps) {
  return (
    <header class='channel-header'>
      <IconLink class='back' icon='back' label={t.common.back} to={{ view: 'home' }} />
      <h1 class='cut' dir='auto'>{details?.peer?.username ?? channel.name}</h1>
      {details?.topic && <p class='topic cut soft' dir='auto'>{details.topic}</p>}
    </header>
  )
}
