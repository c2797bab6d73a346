import type { InboxChannel } from '@parley/client'
import { parley } from '../client.ts'
import { go, route } from '../route.ts'
import { t } from '../text.ts'
import { theme, type Theme } from '../theme.ts'
import { Avatar } from '../ui/avatar.tsx'
import type { Option } from '../ui/combobox.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import type { ListedChannel } from './channel-directory.ts'
import { openCreateChannel } from './create-channel-dialog.tsx'
import { fitOf } from './fit.ts'
import { land } from './landing.ts'
import { openNewDirect } from './new-direct-dialog.tsx'
import type { FoundPerson } from './people-search.ts'
import { keyOf, placeOf, visited } from './places.ts'
import { openShortcuts } from './shortcuts-dialog.tsx'
import { ChannelIcon } from './sidebar-row.tsx'

/** The rank of entries that the server has found, or that take the query as it is: they come after all others. */
const FOUND = 0.5

/** Somewhere to jump to. `names` are what it may be found by; `isFound`: the server has found it already. */
export interface Entry extends Option { names: string[], isFound?: boolean }

/** The person's own channels and direct channels. */
export function fromChannels (channels: readonly InboxChannel[]): Entry[] {
  return channels.map(channel => {
    const { name, peer, topic, unread_count: unread } = channel
    const to = placeOf(channel)
    return {
      key: keyOf(to)!,
      icon: <ChannelIcon channel={channel} />,
      label: peer?.username ?? name,
      about: peer ? peer.handle === null ? undefined : `@${peer.handle}` : topic,
      end: unread > 0 && t.shell.unread(unread),
      names: peer ? [peer.username, peer.handle ?? ''] : [name],
      onChoose: () => land(to)
    }
  })
}

/** People with whom there is no direct channel yet. */
export function fromPeople (people: readonly FoundPerson[], directs: readonly InboxChannel[]): Entry[] {
  const known = new Set(directs.map(({ peer }) => peer?.user_id))
  return people.filter(({ id }) => !known.has(id)).map(({ id, name, handle }) => ({
    key: `d/${id}`,
    icon: <Avatar id={id} name={name} size='small' />,
    label: name,
    about: handle === null ? undefined : `@${handle}`,
    end: t.jump.direct,
    names: [name, handle ?? ''],
    isFound: true,
    onChoose: () => land({ view: 'direct', user: id })
  }))
}

/** Channels that the person is not in. */
export function fromDirectory (listed: readonly ListedChannel[], own: readonly InboxChannel[]): Entry[] {
  const known = new Set(own.map(({ name }) => name))
  return listed.filter(({ name }) => !known.has(name)).map(channel => ({
    key: `c/${channel.name}`,
    icon: <ChannelIcon channel={channel} />,
    label: channel.name,
    about: channel.topic,
    end: t.jump.notIn,
    names: [channel.name],
    onChoose: () => land({ view: 'channel', name: channel.name })
  }))
}

/** Lists the acts that one may do from everywhere. `query` is the typed text, trimmed. */
export function actions (query: string): Entry[] {
  const me = parley.account.getSnapshot()
  const act = (key: string, icon: IconName, label: string, onChoose: () => void): Entry =>
    ({ key, icon: <Icon name={icon} />, label, names: [label], onChoose })
  const show = (to: Theme) => () => { theme.value = to }
  return [
    ...me
      ? [
          { ...act('search', 'search', t.jump.search(query), () => land({ view: 'search', query })), isFound: query !== '' },
          act('create', 'add', t.create.title, openCreateChannel),
          act('direct', 'person', t.direct.title, openNewDirect)
        ]
      : [],
    act('browse', 'compass', t.shell.browse, () => land({ view: 'browse' })),
    act('settings', 'settings', t.shell.settings, () => land({ view: 'settings' })),
    ...me?.role === 'admin' ? [act('admin', 'admin', t.admin.title, () => go({ view: 'admin', section: '' }))] : [],
    act('dark', 'moon', t.shell.darkTheme, show('dark')),
    act('light', 'sun', t.shell.lightTheme, show('light')),
    act('keys', 'keyboard', t.shortcuts.title, openShortcuts)
  ]
}

/**
 * Returns the entries that fit the query, the best first, and of equals those that were visited last. Without a query it leaves out the
 * place that is shown: nobody wants to go there.
 */
export function choose (entries: Entry[], query: string): Entry[] {
  const places = visited.value
  const isHere = keyOf(route.value)
  const name = query.replace(/^[@#]/, '')
  const fit = ({ isFound, names }: Entry): number => isFound ? FOUND : Math.max(...names.map(text => fitOf(name, text)))
  const rank = ({ key }: Entry): number => places.includes(key) ? places.indexOf(key) : places.length
  return entries
    .filter(({ key }) => query !== '' || key !== isHere)
    .map(entry => ({ entry, fit: fit(entry), rank: rank(entry) }))
    .filter(({ fit }) => fit > 0)
    .sort((a, b) => b.fit - a.fit || a.rank - b.rank)
    .map(({ entry }) => entry)
}
