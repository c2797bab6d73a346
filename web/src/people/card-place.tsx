import type { Channel, Person } from '@parley/client'
import { useReadable } from '@parley/client/react'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button, classes } from '../ui/button.tsx'
import { openAct, type Act } from './act-dialog.tsx'
import { isOwner, mayModerate, useRoster, type Roster } from './roster.ts'
import { moment, useMoment } from './times.ts'

/** A person's place in a channel, and what this user may do about it there. Nobody is offered what they may not do. */
export function CardPlace ({ channel, person, isMissing }: { channel: Channel, person: Person, isMissing: boolean }) {
  const { details } = useReadable(channel)
  const { online } = useReadable(channel.presence)
  const roster = useRoster(channel)
  const { user_id: id } = person
  const mute = roster.mutes.get(id)
  const ban = roster.bans.get(id)
  const isMuted = useMoment(mute?.expires_at)
  const isBanned = useMoment(ban?.expires_at) || ban?.expires_at === null
  if (!details || details.channel_type === 'direct') return null
  const isHere = online.some(other => other.user_id === id)
  const acts = actsOn(id, roster, { mayAct: mayModerate(details, roster), isOwner: isOwner(roster, details), isMuted, isBanned, isMissing })
  return (
    <section class='card-section' aria-label={t.people.inChannel(`#${channel.name}`)}>
      <p class='card-place'>
        <span class={classes('presence', isHere && 'here')} />
        <span dir='auto'>{isHere ? t.people.hereIn(`#${channel.name}`) : t.people.notHereIn(`#${channel.name}`)}</span>
        {roster.creator === id && <span class='tag'>{t.people.creator}</span>}
        {roster.creator !== id && roster.moderators.has(id) && <span class='tag'>{t.people.moderator}</span>}
      </p>
      {isMuted && <p class='small'>{t.people.mutedUntil(moment(mute!.expires_at!))}</p>}
      {isBanned && <p class='small'>{ban!.expires_at ? t.people.bannedUntil(moment(ban!.expires_at)) : t.people.bannedForever}</p>}
      {isBanned && ban!.reason && <p class='small soft' dir='auto'>{t.people.reason(ban!.reason)}</p>}
      {acts.length > 0 && (
        <div class='card-acts'>
          {acts.map(act => (
            // An act and its opposite are one button, which keeps the focus.
            <Button
              key={act.replace(/^(un|add|remove)/, '').toLowerCase()} kind={act === 'ban' || act === 'kick' ? 'danger' : undefined}
              onClick={() => openAct(act, channel, person)}
            >
              {t.moderation.acts[act].offer}
            </Button>
          ))}
        </div>
      )}
    </section>
  )
}

/** Returns the acts that this user may do on a person. Who has a higher role than this user is not known here: the server refuses that. */
function actsOn (id: string, { creator, moderators, isRead }: Roster, { mayAct, isOwner, isMuted, isBanned, isMissing }: {
  mayAct: boolean, isOwner: boolean, isMuted: boolean, isBanned: boolean, isMissing: boolean
}): Act[] {
  const isMe = parley.account.getSnapshot()?.user_id === id
  if (!isRead || isMe || id === creator) return []
  const acts: Act[] = []
  if (isOwner && moderators.has(id)) acts.push('removeModerator')
  else if (isOwner && !isMissing && !isBanned) acts.push('addModerator')
  if (mayAct) acts.push(isMuted ? 'unmute' : 'mute', ...isBanned ? ['unban'] as const : ['kick', 'ban'] as const)
  return acts
}
