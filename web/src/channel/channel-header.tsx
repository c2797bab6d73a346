import type { Channel, ChannelState } from '@parley/client'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { IconLink } from '../ui/button.tsx'
import { MenuButton } from '../ui/menu.tsx'
import { ChannelIcon } from '../shell/sidebar-row.tsx'
import { channelMenu } from './channel-menu.ts'
import { PeopleToggle } from './people-toggle.tsx'

export interface ChannelProps { channel: Channel, state: ChannelState }

/** The head of a channel: its name and topic, who is here, and the menu of what one may do with it. */
export function ChannelHeader ({ channel, state }: ChannelProps) {
  const row = parley.inbox.getSnapshot().directs.find(({ name }) => name === channel.name)
  const { details = row } = state
  const peer = details?.peer
  return (
    <header class='channel-header'>
      <IconLink class='back' icon='back' label={t.common.back} to={{ view: 'home' }} />
      <ChannelIcon channel={{ channel_type: details?.channel_type ?? 'public', ...peer && { peer } }} />
      <h1 class='cut' dir='auto'>{peer?.username ?? channel.name}</h1>
      <p class='topic cut soft' dir='auto'>{peer ? peer.handle !== null && `@${peer.handle}` : details?.topic}</p>
      {state.state !== 'closed' && (
        <>
          {details?.channel_type !== 'direct' && <PeopleToggle channel={channel} />}
          <MenuButton icon='more' label={t.channelMenu.title} items={channelMenu(channel, state)} />
        </>
      )}
    </header>
  )
}
