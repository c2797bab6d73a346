import { useComputed, useSignal } from '@preact/signals'
import { memo } from 'preact/compat'
import { useRef } from 'preact/hooks'
import { openCard } from '../dialogs.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { classes } from '../ui/button.tsx'
import { EditForm } from './edit-form.tsx'
import { MessageActions } from './message-actions.tsx'
import { MessageText } from './message-text.tsx'
import { Quote } from './quote.tsx'
import { Reactions } from './reactions.tsx'
import type { MessageRow } from './rows.ts'
import { Separators } from './separators.tsx'
import { useTalk } from './talk.ts'
import { openActions } from './use-list-keys.ts'
import { dateAndTimeOf, shortTimeOf, timeOf } from './times.ts'

/** A message, with what stands above it. */
export const MessageItem = memo(({ row }: { row: MessageRow }) => {
  const { message: { id, user_id: author, username, deleted, reply_to: replyTo }, at, isFirst } = row
  const talk = useTalk()
  const item = useRef<HTMLElement>(null)
  const isActive = useComputed(() => talk.active.value === id).value
  const isTarget = useComputed(() => talk.target.value === id).value
  const isEdited = useComputed(() => talk.editing.value?.id === id).value
  const isPointedAt = useSignal(false)
  const hasFocus = useSignal(false)
  const person = { user_id: author, username, channel: talk.channel }

  return (
    <>
      <Separators row={row} />
      <article
        ref={item}
        class={classes('message', isFirst && 'first', isTarget && 'target')}
        data-row={id}
        tabIndex={isActive ? 0 : -1}
        aria-label={t.channel.messageBy(username, timeOf(at))}
        // Not when it enters: in a busy channel, rows move under a pointer that rests.
        onPointerMove={event => { isPointedAt.value = event.pointerType !== 'touch' }}
        onPointerLeave={() => { isPointedAt.value = false }}
        onFocusIn={() => {
          hasFocus.value = true
          talk.active.value = id
        }}
        onFocusOut={event => { hasFocus.value = item.current?.contains(event.relatedTarget as Node | null) ?? false }}
        onContextMenu={event => {
          // A long press on a phone, or the key for it.
          if (event.target instanceof HTMLAnchorElement || ('pointerType' in event && event.pointerType === 'mouse')) return
          event.preventDefault()
          openActions(item.current!)
        }}
      >
        {replyTo !== undefined && <Quote id={replyTo} />}
        {isFirst
          ? (
            <>
              <button type='button' class='face' tabIndex={-1} aria-hidden='true' onClick={() => openCard(person)}>
                <Avatar id={author} name={username} />
              </button>
              <p class='by'>
                <button type='button' class='name' dir='auto' tabIndex={isActive ? 0 : -1} onClick={() => openCard(person)}>
                  {username}
                </button>
                <time class='soft small' dateTime={row.message.timestamp} title={dateAndTimeOf(at)}>{timeOf(at)}</time>
              </p>
            </>)
          : <time class='aside' dateTime={row.message.timestamp} title={dateAndTimeOf(at)} aria-hidden='true'>{shortTimeOf(at)}</time>}
        <div class='content'>
          <Content row={row} isActive={isActive} isEdited={isEdited} />
          {!deleted && <Reactions message={row.message} isActive={isActive} />}
        </div>
        {(isPointedAt.value || hasFocus.value) && !deleted && !isEdited && <MessageActions message={row.message} />}
      </article>
    </>
  )
})

function Content ({ row, isActive, isEdited }: { row: MessageRow, isActive: boolean, isEdited: boolean }) {
  const { message, deleted, edited_at: editedAt, data } = row.message
  if (isEdited) return <EditForm message={row.message} />
  if (deleted) return <p class='gone'>{t.channel.deleted}</p>
  return (
    <>
      {message ? <MessageText text={message} isActive={isActive} /> : <p class='gone'>{data === undefined ? '' : t.channel.onlyData}</p>}
      {editedAt !== undefined && <span class='edited' title={dateAndTimeOf(Date.parse(editedAt))}>{t.channel.edited}</span>}
    </>
  )
}
