import { useEffect } from 'preact/hooks'
import { facts } from '../facts.ts'
import { route } from '../route.ts'
import { SettingsView } from '../settings/settings-view.tsx'
import { t } from '../text.ts'
import { classes } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { ChannelGate } from './channel-gate.tsx'
import { ConnectionLine } from './connection-line.tsx'
import { DirectView } from './direct-view.tsx'
import { settleFocus } from './landing.ts'
import { listenForShortcuts } from './shortcuts.ts'
import { Sidebar } from './sidebar.tsx'

const BrowseView = later(async () => (await import('../more.ts')).BrowseView)
const SearchView = later(async () => (await import('../more.ts')).SearchView)

/** The app for people who are in: the sidebar, and beside it the view that the address names. On phones, one of them is shown. */
export function Shell () {
  useEffect(listenForShortcuts, [])
  return (
    <div class={classes('shell', route.value.view === 'home' && 'at-home')}>
      <a class='skip unseen' href='#main' onClick={skip}>{t.shell.skipToMain}</a>
      <ConnectionLine />
      <Sidebar />
      <main id='main' tabIndex={-1}><Main /></main>
    </div>
  )
}

function skip (event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Main () {
  const shown = route.value
  useEffect(settleFocus, [shown])
  switch (shown.view) {
    case 'channel': return <ChannelGate key={shown.name} name={shown.name} message={shown.message} />
    case 'direct': return <DirectView key={shown.user} user={shown.user} message={shown.message} />
    case 'browse': return <BrowseView />
    case 'search': return <SearchView query={shown.query} channel={shown.channel} />
    case 'settings': return <SettingsView />
    // Where there is room, the start shows the channel that always exists.
    default: return <ChannelGate key={facts.defaultRoom} name={facts.defaultRoom} message={undefined} />
  }
}
