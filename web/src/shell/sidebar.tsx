import type { InboxChannel } from '@parley/client'
import { useInbox, useReadable } from '@parley/client/react'
import { parley } from '../client.ts'
import { route, type Route } from '../route.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { IconLink, Link } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'

/** The user's channels and direct messages. */
export function Sidebar () {
  const { channels, directs } = useInbox()
  const me = useReadable(parley.account)
  return (
    <nav class='sidebar' aria-label={t.shell.channels}>
      <header>
        <strong class='cut'>{t.common.app}</strong>
        <IconLink icon='compass' label={t.shell.browse} to={{ view: 'browse' }} />
        <IconLink icon='settings' label={t.shell.settings} to={{ view: 'settings' }} />
      </header>
      <div class='lists'>
        <section>
          <h2>{t.shell.channels}</h2>
          <ul>{channels.map(channel => <Row key={channel.id} channel={channel} to={{ view: 'channel', name: channel.name }} />)}</ul>
        </section>
        <section>
          <h2>{t.shell.directs}</h2>
          <ul>{directs.map(direct => <Row key={direct.id} channel={direct} to={{ view: 'direct', user: direct.peer!.user_id }} />)}</ul>
        </section>
      </div>
      {me && <footer><Avatar id={me.user_id} name={me.username} /><span class='cut'>{me.username}</span></footer>}
    </nav>
  )
}

function Row ({ channel, to }: { channel: InboxChannel, to: Route }) {
  const { name, peer, unread_count: unread, channel_type: type } = channel
  const isShown = JSON.stringify(route.value).startsWith(JSON.stringify(to).slice(0, -1))
  return (
    <li>
      <Link class='row' to={to} aria-current={isShown ? 'page' : undefined}>
        {peer ? <Avatar id={peer.user_id} name={peer.username} size='small' /> : <Icon name={type === 'private' ? 'lock' : 'hash'} />}
        <span class='cut' dir='auto'>{peer?.username ?? name}</span>
        {unread > 0 && <span class='badge' aria-label={t.shell.unread(unread)}>{unread > 99 ? '99+' : unread}</span>}
      </Link>
    </li>
  )
}
