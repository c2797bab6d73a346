import { useInbox } from '@parley/client/react'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { openCreateChannel, openJump, openNewDirect } from '../dialogs.ts'
import { route } from '../route.ts'
import { t } from '../text.ts'
import { IconButton, IconLink, Link } from '../ui/button.tsx'
import { Loading } from '../ui/loading.tsx'
import { Invitations } from './invitations.tsx'
import { MeBar } from './me-bar.tsx'
import { followDirects } from './online.ts'
import { sorted } from './places.ts'
import { JUMP_KEYS } from './keys.ts'
import { SidebarRow } from './sidebar-row.tsx'

/** The person's channels, direct messages and invitations. On phones it is the start. */
export function Sidebar () {
  const { state, channels, directs, invitations } = useInbox()
  const isGuest = parley.account.getSnapshot() === null
  const isLive = state === 'live'
  // A channel that is just being joined is in the list a moment later.
  const isJoining = route.value.view === 'channel' || route.value.view === 'home'
  useEffect(() => isLive && !isGuest ? followDirects(() => parley.inbox.getSnapshot().directs) : undefined, [isLive, isGuest])
  return (
    <nav class='sidebar' aria-label={t.shell.conversations}>
      <header>
        <strong class='cut'>{t.common.app}</strong>
        {!isGuest && <IconLink icon='search' label={t.search.title} to={{ view: 'search', query: '' }} />}
        <IconLink icon='compass' label={t.shell.browse} to={{ view: 'browse' }} />
      </header>
      <button type='button' class='jump' aria-keyshortcuts='Control+K Meta+K' onClick={() => openJump()}>
        {t.jump.open}<kbd>{JUMP_KEYS}</kbd>
      </button>
      <div class='lists'>
        {invitations.length > 0 && <Invitations invitations={invitations} />}
        <section>
          <h2>
            {t.shell.channels}
            {!isGuest && (
              <IconButton icon='add' label={t.create.title} onClick={() => openCreateChannel()} />
            )}
          </h2>
          <ul>{sorted(channels).map(channel => <SidebarRow key={channel.id} channel={channel} />)}</ul>
          {channels.length === 0 && !isLive && <Loading />}
          {channels.length === 0 && isLive && !isJoining && (
            <p class='hint'>{t.shell.noChannels} <Link to={{ view: 'browse' }}>{t.shell.browse}</Link></p>
          )}
        </section>
        {!isGuest && (
          <section>
            <h2>
              {t.shell.directs}
              <IconButton icon='add' label={t.direct.title} onClick={() => openNewDirect()} />
            </h2>
            <ul>{directs.map(direct => <SidebarRow key={direct.id} channel={direct} />)}</ul>
            {directs.length === 0 && isLive && <p class='hint'>{t.shell.noDirects}</p>}
          </section>
        )}
      </div>
      <MeBar />
    </nav>
  )
}
