import type { ChannelDetails } from '@parley/client'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon } from '../ui/icon.tsx'
import type { MessageRow } from './rows.ts'
import { useTalk } from './talk.ts'
import { nameOfDay } from './times.ts'

/** Shows what is above a message: the beginning of the channel, its day, a gap, the line above what is unread. */
export function Separators ({ row: { at, isNewDay, isNew, isAfterGap, isBeginning } }: { row: MessageRow }) {
  const { place } = useTalk()
  return (
    <>
      {isBeginning && <Beginning details={place.value} />}
      {isAfterGap && <div class='gap'><span class='spinner' aria-hidden='true' />{t.channel.gap}</div>}
      {isNewDay && <div class={isNew ? 'separator new' : 'separator'}><span>{nameOfDay(at)}</span>{isNew && <b>{t.channel.new}</b>}</div>}
      {isNew && !isNewDay && <div class='separator new'><b>{t.channel.new}</b></div>}
    </>
  )
}

/** Stands above the first message of a channel, or where there is none yet. */
export function Beginning ({ details }: { details: ChannelDetails | undefined }) {
  const { channel } = useTalk()
  const peer = details?.peer
  return (
    <div class='beginning'>
      {peer ? <Avatar id={peer.user_id} name={peer.username} size='large' /> : <span class='sign'><Icon name='hash' /></span>}
      <h2 dir='auto'>{peer?.username ?? channel.name}</h2>
      <p class='soft' dir='auto'>{peer ? t.channel.directBeginning(peer.username) : t.channel.beginning(channel.name)}</p>
    </div>
  )
}
