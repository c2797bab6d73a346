import type { Channel, ChannelState } from '@parley/client'
import { parley } from '../client.ts'
import { confirm, openChannelSettings, openInvite } from '../dialogs.ts'
import { addressOf, go } from '../route.ts'
import { land } from '../shell/landing.ts'
import { isShown, placeOf } from '../shell/places.ts'
import { t } from '../text.ts'
import { copy } from '../ui/copy.ts'
import { attempt } from '../ui/error-text.ts'
import type { MenuItem } from '../ui/menu.tsx'
import { toast } from '../ui/toast.tsx'
import { isPeopleOpen } from './people-toggle.tsx'

/** Lists the acts that somebody may do with a channel that they are in. */
export function channelMenu (channel: Channel, { details, unread }: ChannelState): MenuItem[] {
  const me = parley.account.getSnapshot()
  const isDirect = details?.channel_type === 'direct'
  const mayModerate = !isDirect && (details?.me.is_moderator === true || me?.role === 'admin')
  const items: Array<MenuItem | false> = [
    mayModerate && { icon: 'add', label: t.channelMenu.invite, onSelect: () => openInvite(channel) },
    mayModerate && { icon: 'settings', label: t.channelMenu.settings, onSelect: () => openChannelSettings(channel) },
    !isDirect && { icon: 'people', label: t.channelMenu.peopleHere, onSelect: () => { isPeopleOpen.value = true } },
    me !== null && {
      icon: 'search', label: t.channelMenu.search, onSelect: () => go({ view: 'search', query: '', channel: channel.name })
    },
    { icon: 'link', label: t.channelMenu.copyLink, onSelect: () => { copyLink(channel.name, details?.peer) } },
    unread > 0 && { icon: 'check', label: t.channelMenu.markRead, onSelect: () => channel.markRead() },
    me !== null && {
      icon: 'leave',
      label: isDirect ? t.channelMenu.close : t.channelMenu.leave,
      isDanger: !isDirect,
      onSelect: () => leave(channel, details)
    }
  ]
  return items.filter(item => item !== false)
}

function copyLink (name: string, peer: NonNullable<ChannelState['details']>['peer']): void {
  const link = new URL(addressOf(placeOf({ name, ...peer && { peer } })), location.href).href
  copy(link, t.channelMenu.copied, link)
}

/** Leaves a channel. Who cannot come back by themselves is asked once more. */
function leave (channel: Channel, details: ChannelState['details']): void {
  const { name } = channel
  const end = async (): Promise<void> => {
    const isHere = isShown({ name, ...details?.peer && { peer: details.peer } })
    await channel.leave()
    if (isHere) land({ view: 'home' }, { replace: true })
    if (details?.channel_type !== 'direct') toast(t.channelMenu.left(name))
  }
  if (details?.channel_type !== 'private') attempt(end)
  else {
    confirm({
      title: t.channelMenu.leaveTitle(name), text: t.channelMenu.leavePrivate, act: t.channelMenu.leave, isDanger: true, onConfirm: end
    })
  }
}
