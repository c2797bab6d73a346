import { useReadable } from '@parley/client/react'
import { parley } from '../client.ts'
import { openShortcuts } from '../dialogs.ts'
import { facts } from '../facts.ts'
import { go } from '../route.ts'
import { t } from '../text.ts'
import { theme } from '../theme.ts'
import { Avatar } from '../ui/avatar.tsx'
import { attempt } from '../ui/error-text.ts'
import { MenuButton, type MenuItem } from '../ui/menu.tsx'

/** The person who uses the app, with the menu of what concerns only them. */
export function MeBar () {
  const account = useReadable(parley.account)
  const connection = useReadable(parley)
  const me = account ?? (connection.state === 'online' ? connection.user : null)
  if (!me) return null
  return (
    <footer>
      <Avatar id={me.user_id} name={me.username} />
      <p class='me'>
        <span class='cut' dir='auto'>{me.username}</span>
        <span class='cut small soft'>{me.handle ? `@${me.handle}` : t.shell.guest}</span>
      </p>
      <MenuButton icon='more' label={t.shell.me} items={itemsFor(account !== null, me.role === 'admin')} />
    </footer>
  )
}

function itemsFor (hasAccount: boolean, isAdmin: boolean): MenuItem[] {
  const isDark = theme.value === 'dark' || (theme.value === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  return [
    { icon: 'settings', label: t.shell.settings, onSelect: () => go({ view: 'settings' }) },
    ...isAdmin ? [{ icon: 'admin' as const, label: t.admin.title, onSelect: () => go({ view: 'admin', section: '' }) }] : [],
    {
      icon: isDark ? 'sun' : 'moon',
      label: isDark ? t.shell.lightTheme : t.shell.darkTheme,
      onSelect: () => { theme.value = isDark ? 'light' : 'dark' }
    },
    { icon: 'keyboard', label: t.shortcuts.title, onSelect: openShortcuts },
    ...hasAccount ? [{ icon: 'leave' as const, label: t.common.logOut, onSelect: () => { attempt(() => parley.account.logout()) } }] : [],
    ...!hasAccount && facts.accounts ? [{ icon: 'person' as const, label: t.common.logIn, onSelect: () => go({ view: 'login' }) }] : []
  ]
}
