import { useComputed } from '@preact/signals'
import { memo } from 'preact/compat'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button, classes } from '../ui/button.tsx'
import { errorText } from '../ui/error-text.ts'
import { MessageText } from './message-text.tsx'
import { Quote } from './quote.tsx'
import type { OutgoingRow } from './rows.ts'
import { useTalk } from './talk.ts'

/** A message of this user that is not stored yet, or that has failed. */
export const OutgoingItem = memo(({ row: { outgoing: { clientId, text, state, error, replyTo }, isFirst } }: { row: OutgoingRow }) => {
  const talk = useTalk()
  const isActive = useComputed(() => talk.active.value === clientId).value
  const connection = parley.getSnapshot()
  const me = parley.account.getSnapshot() ?? (connection.state === 'online' ? connection.user : undefined)
  const name = me?.username ?? t.common.you
  const hasFailed = state === 'failed'
  return (
    <article
      class={classes('message outgoing', isFirst && 'first', hasFailed && 'failed')} data-row={clientId} tabIndex={isActive ? 0 : -1}
      aria-label={hasFailed ? t.channel.failedMessage : t.channel.waitingMessage}
      onFocusIn={() => { talk.active.value = clientId }}
    >
      {replyTo !== undefined && <Quote id={replyTo} />}
      {isFirst && <span class='face'><Avatar id={me?.user_id ?? ''} name={name} /></span>}
      {isFirst && <p class='by'><b class='name' dir='auto'>{name}</b></p>}
      <div class='content'>
        <MessageText text={text} isActive={isActive} />
        {hasFailed && (
          <p class='failure' role='alert'>
            {t.channel.notSent} {errorText(error)}{' '}
            <Button kind='link' onClick={() => { talk.channel.resend(clientId) }}>{t.common.retry}</Button>{' '}
            <Button kind='link' onClick={() => talk.channel.discard(clientId)}>{t.channel.discard}</Button>
          </p>
        )}
      </div>
    </article>
  )
})
