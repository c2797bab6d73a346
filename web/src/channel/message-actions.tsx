import type { Message } from '@parley/client'
import { parley } from '../client.ts'
import { openDeleteMessage, openReport } from '../dialogs.ts'
import { addressOf, route } from '../route.ts'
import { t } from '../text.ts'
import { IconButton } from '../ui/button.tsx'
import { copy } from '../ui/copy.ts'
import { attempt } from '../ui/error-text.ts'
import { MenuButton, type MenuItem } from '../ui/menu.tsx'
import { ReactionPicker } from './reaction-picker.tsx'
import { useTalk, type Talk } from './talk.ts'

/** The buttons and the menu of the message that is pointed at, or that has the focus. */
export function MessageActions ({ message }: { message: Message }) {
  const talk = useTalk()
  const { channel, place } = talk
  const isOwn = message.user_id === parley.account.getSnapshot()?.user_id
  const mayModerate = place.value?.me.is_moderator === true
  const mayWrite = talk.mayWrite.value
  const items: Array<MenuItem | false> = [
    mayWrite && { icon: 'reply', label: t.channel.reply, onSelect: () => reply(talk, message) },
    isOwn && mayWrite && { icon: 'edit', label: t.channel.edit, onSelect: () => edit(talk, message) },
    { icon: 'copy', label: t.channel.copyText, onSelect: () => copyOrShow(message.message ?? '') },
    { icon: 'link', label: t.channel.copyLink, onSelect: () => copyOrShow(linkTo(message)) },
    !isOwn && { icon: 'flag', label: t.channel.report, onSelect: () => openReport(channel, message) },
    (isOwn || mayModerate) && {
      icon: 'trash', label: t.channel.delete, isDanger: true, onSelect: () => openDeleteMessage(channel, message)
    }
  ]
  return (
    <div class='actions' role='group' aria-label={t.channel.actions}>
      {mayWrite && <ReactionPicker onPick={reaction => { attempt(() => channel.react(message.id, reaction)) }} />}
      {mayWrite && <IconButton icon='reply' label={t.channel.reply} onClick={() => reply(talk, message)} />}
      {isOwn && mayWrite && <IconButton icon='edit' label={t.channel.edit} onClick={() => edit(talk, message)} />}
      <MenuButton icon='more' label={t.common.more} items={items.filter(item => item !== false)} />
    </div>
  )
}

function reply ({ replyTo, focusComposer }: Talk, message: Message): void {
  replyTo.value = message
  focusComposer()
}

function edit ({ editing }: Talk, { id, message }: Message): void {
  editing.value = { id, text: message ?? '' }
}

/** The address of a message, under which others who are in the channel find it too. */
function linkTo ({ channel, id }: Message): string {
  const { value } = route
  const to = value.view === 'direct' ? { ...value, message: id } : { view: 'channel', name: channel, message: id } as const
  return location.origin + addressOf(to)
}

const copyOrShow = (text: string): Promise<void> => copy(text, t.channel.copied, text)
