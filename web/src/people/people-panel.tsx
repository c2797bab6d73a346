import type { Channel, ChannelState, Member, Person } from '@parley/client'
import { useReadable } from '@parley/client/react'
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { language, t } from '../text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { useMembers } from './members.ts'
import { ModerationButton } from './moderation-button.tsx'
import { PersonRow } from './person-row.tsx'
import { mayModerate, useRoster, type Roster } from './roster.ts'

/** There is room for one column only, as in the styles. */
const PHONE = '(max-width: 44rem)'
/** Most members that the filter reads by itself. */
const MOST_FILTERED = 1000

interface PanelProps { channel: Channel, state: ChannelState, onClose (): void }

/** The people of a channel: beside the messages, or above them where there is no room for both. */
export function PeoplePanel ({ channel, state, onClose }: PanelProps) {
  const panel = useRef<HTMLElement>(null)
  const opener = useRef<HTMLElement | undefined>(undefined)
  useEffect(() => {
    const { activeElement: focused } = document
    // The focus goes to a panel that somebody has just opened, but not to one that is there from the start.
    if (!(focused instanceof HTMLButtonElement)) return
    opener.current = focused
    panel.current?.querySelector('input')?.focus()
  }, [])
  // A panel that covers the messages closes when another channel is shown.
  useEffect(() => () => { if (matchMedia(PHONE).matches) onClose() }, [channel])

  function close (): void {
    opener.current?.focus()
    onClose()
  }

  return (
    <aside
      ref={panel} class='people-panel' aria-label={t.people.title}
      onKeyDown={event => { if (event.key === 'Escape') close() }}
    >
      <header>
        <h2>{t.people.title}</h2>
        <IconButton icon='close' label={t.people.close} onClick={close} />
      </header>
      <People channel={channel} state={state} />
    </aside>
  )
}

/** Lists the people who are here now, and the other members. */
function People ({ channel, state: { details } }: Pick<PanelProps, 'channel' | 'state'>) {
  const { online, count } = useReadable(channel.presence)
  const roster = useRoster(channel)
  const members = useMembers(channel)
  const { items, hasMore, isLoading, isRead, error } = members.list.value
  const filter = useSignal('')
  const wanted = plain(filter.value.trim())

  const here = useMemo(() => sorted(online), [online])
  const others = useMemo(() => {
    const ids = new Set(online.map(({ user_id: id }) => id))
    return sorted(items.filter(({ user_id: id }) => !ids.has(id)))
  }, [online, items])
  const found = here.filter(person => fits(person, wanted))
  const foundOthers = others.filter(person => fits(person, wanted))

  const isSearching = wanted !== '' && hasMore && isRead && !error && items.length < MOST_FILTERED
  useEffect(() => { if (isSearching && !isLoading) members.more() }, [isSearching, isLoading])

  return (
    <div class='people'>
      {mayModerate(details, roster) && <ModerationButton channel={channel} />}
      <input
        class='input' type='search' aria-label={t.people.filter} placeholder={t.people.filter} value={filter.value}
        onInput={event => { filter.value = event.currentTarget.value }}
      />
      <List title={t.people.here} count={wanted ? found.length : count} people={found} channel={channel} roster={roster} isHere />
      {foundOthers.length > 0 && (
        <List
          title={t.people.notHere} count={hasMore ? undefined : foundOthers.length} people={foundOthers} channel={channel} roster={roster}
        />
      )}
      {wanted !== '' && !isSearching && found.length + foundOthers.length === 0 && <p class='soft'>{t.people.nobodyFound}</p>}
      {error && <p class='form-error' role='alert'>{error}</p>}
      {error && <Button onClick={() => members.refresh()}>{t.common.retry}</Button>}
      {!error && isRead && hasMore && !isSearching && (
        <Button disabled={isLoading} onClick={() => members.more()}>{t.people.showMore}</Button>
      )}
    </div>
  )
}

function List ({ title, count, people, channel, roster, isHere = false }: {
  title: string, count: number | undefined, people: ReadonlyArray<Person | Member>, channel: Channel, roster: Roster, isHere?: boolean
}) {
  return (
    <section>
      <h3>{title} {count !== undefined && <span class='soft'>{count.toLocaleString(language)}</span>}</h3>
      <ul>
        {people.map(person => (
          <PersonRow
            key={person.user_id} person={person} channel={channel} isHere={isHere}
            place={roster.creator === person.user_id ? 'creator' : roster.moderators.has(person.user_id) ? 'moderator' : undefined}
          />
        ))}
      </ul>
    </section>
  )
}

function sorted<P extends Person> (people: readonly P[]): P[] {
  const { compare } = new Intl.Collator(language, { sensitivity: 'base' })
  return [...people].sort((a, b) => compare(a.username, b.username))
}

/** Without accents and capitals, as people type. */
function plain (text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

function fits ({ username, ...rest }: Person & { handle?: string | null }, wanted: string): boolean {
  return plain(username).includes(wanted) || (rest.handle ?? '').includes(wanted.replace(/^@/, ''))
}
