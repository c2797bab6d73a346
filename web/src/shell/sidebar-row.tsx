import type { InboxChannel } from '@parley/client'
import { useComputed } from '@preact/signals'
import { memo } from 'preact/compat'
import { useEffect, useRef } from 'preact/hooks'
import { draftOf } from '../channel/drafts.ts'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { classes, Link } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { online } from './online.ts'
import { isShown, placeOf } from './places.ts'
import { waiting } from './waiting.ts'

/** A channel in the sidebar. It renders anew only when its own row of the inbox, or what it shows besides, has changed. */
export const SidebarRow = memo(function SidebarRow ({ channel }: { channel: InboxChannel }) {
  const { name, peer, unread_count: unread } = channel
  const isCurrent = useComputed(() => isShown(channel)).value
  const hasDraft = useComputed(() => draftOf(name) !== '').value
  const outgoing = useComputed(() => waiting.value.get(name)).value
  const row = useRef<HTMLLIElement>(null)
  useEffect(() => { if (isCurrent) row.current!.scrollIntoView({ block: 'nearest' }) }, [isCurrent])
  return (
    <li ref={row}>
      <Link class={classes('row', unread > 0 && 'is-unread')} to={placeOf(channel)} aria-current={isCurrent ? 'page' : undefined}>
        <ChannelIcon channel={channel} />
        <span class='cut' dir='auto'>{peer?.username ?? name}</span>
        {outgoing === 'failed' && <Mark icon='warning' label={t.shell.failed} class='danger' />}
        {outgoing === 'waiting' && <Mark icon='clock' label={t.shell.waiting} />}
        {hasDraft && !isCurrent && <Mark icon='edit' label={t.shell.draft} />}
        {unread > 0 && (
          <span class='badge'>
            <span aria-hidden='true'>{unread > 99 ? '99+' : unread}</span>
            <span class='unseen'>{t.shell.unread(unread)}</span>
          </span>
        )}
      </Link>
    </li>
  )
})

/** A channel's icon, or the other person of a direct channel, with a dot if they are known to be online. */
export function ChannelIcon ({ channel: { channel_type: type, peer } }: { channel: Pick<InboxChannel, 'channel_type' | 'peer'> }) {
  const isOnline = useComputed(() => peer !== undefined && online.value.get(peer.user_id) === true).value
  if (!peer) return <Icon name={type === 'private' ? 'lock' : type === 'public' ? 'hash' : 'admin'} />
  return (
    <span class='with-dot'>
      <Avatar id={peer.user_id} name={peer.username} size='small' />
      {isOnline && peer.user_id !== parley.account.getSnapshot()?.user_id && <span class='dot' role='img' aria-label={t.shell.online} />}
    </span>
  )
}

function Mark ({ icon, label, class: more }: { icon: 'warning' | 'clock' | 'edit', label: string, class?: string }) {
  return <span class={classes('mark', more)} role='img' aria-label={label} title={label}><Icon name={icon} /></span>
}
