import type { Channel, Person } from '@parley/client'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { openCard } from '../dialogs.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { Loading } from '../ui/loading.tsx'
import { openAct, type Act } from './act-dialog.tsx'
import { isOwner, refreshRoster, rosterOf, type Roster } from './roster.ts'
import { PersonName } from './person-name.tsx'
import { usePoll } from './poll.ts'
import { Sentence } from './sentence.tsx'
import { day, moment } from './times.ts'

interface ListProps { channel: Channel }

export function BanList ({ channel }: ListProps) {
  const { bans, isRead } = usePolledRoster(channel)
  return (
    <List isRead={isRead} people={[...bans.values()]} empty={t.moderation.noBans} act='unban' channel={channel}>
      {({ expires_at: until, banned_by: by, reason }) => (
        <>
          <p>
            <Sentence
              text={until ? t.moderation.bannedUntilBy(moment(until)) : t.moderation.bannedBy}
              parts={{ actor: <PersonName id={by} channel={channel} /> }}
            />
          </p>
          {reason && <p dir='auto'>{t.people.reason(reason)}</p>}
        </>
      )}
    </List>
  )
}

export function MuteList ({ channel }: ListProps) {
  const { mutes, isRead } = usePolledRoster(channel)
  return (
    <List isRead={isRead} people={[...mutes.values()]} empty={t.moderation.noMutes} act='unmute' channel={channel}>
      {({ expires_at: until, muted_by: by }) => (
        <p><Sentence text={t.moderation.mutedUntilBy(moment(until!))} parts={{ actor: <PersonName id={by} channel={channel} /> }} /></p>
      )}
    </List>
  )
}

export function ModeratorList ({ channel }: ListProps) {
  const roster = usePolledRoster(channel)
  const canChange = isOwner(roster, channel.getSnapshot().details)
  return (
    <List
      isRead={roster.isRead} people={[...roster.moderators.values()]} empty={t.moderation.noModerators} channel={channel}
      act={canChange ? 'removeModerator' : undefined} cannotAct={id => id === roster.creator}
    >
      {({ user_id: id, created_at: since }) => <p>{id === roster.creator ? t.people.creator : t.moderation.moderatorSince(day(since))}</p>}
    </List>
  )
}

function usePolledRoster (channel: Channel): Roster {
  usePoll(() => refreshRoster(channel), channel)
  return rosterOf(channel).value
}

function List<T extends Person> ({ isRead, people, empty, act, cannotAct, channel, children }: {
  isRead: boolean, people: T[], empty: string, act: Act | undefined, cannotAct?: (id: string) => boolean, channel: Channel,
  children (person: T): ComponentChildren
}) {
  const list = useRef<HTMLUListElement>(null)
  // The button that had the focus may have gone with its row.
  useEffect(() => { if (document.activeElement === document.body) list.current?.focus() }, [people.length])
  if (!isRead) return <Loading />
  return (
    <ul ref={list} class='moderated' tabIndex={-1}>
      {people.length === 0 && <li class='nothing soft'>{empty}</li>}
      {people.map(person => (
        <li key={person.user_id}>
          <Avatar id={person.user_id} name={person.username} />
          <div>
            <button type='button' class='person-name' onClick={() => openCard({ ...person, channel })}><bdi>{person.username}</bdi></button>
            <div class='soft small'>{children(person)}</div>
          </div>
          {act && !cannotAct?.(person.user_id) && (
            <Button onClick={() => openAct(act, channel, person)} aria-label={`${t.moderation.acts[act].offer}: ${person.username}`}>
              {t.moderation.acts[act].offer}
            </Button>
          )}
        </li>
      ))}
    </ul>
  )
}
