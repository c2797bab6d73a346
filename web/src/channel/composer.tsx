import { ParleyError, type ChannelState, type Message } from '@parley/client'
import { useEffect, useRef } from 'preact/hooks'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { t } from '../text.ts'
import { IconButton } from '../ui/button.tsx'
import { errorText } from '../ui/error-text.ts'
import { Icon } from '../ui/icon.tsx'
import { toast } from '../ui/toast.tsx'
import { draftOf, setDraft } from './drafts.ts'
import { GrowingField, lengthOf } from './growing-field.tsx'
import { plainText } from './markup.ts'
import { useTalk } from './talk.ts'
import { useSlowMode } from './use-slow-mode.ts'

/** Code points before the longest text within which the rest is counted. */
const COUNTED = 200

/** The field to write in. Sending never waits for the network. `isAtMessage`: the channel opens at a message, which gets the focus. */
export function Composer ({ state, isAtMessage }: { state: ChannelState, isAtMessage: boolean }) {
  const talk = useTalk()
  const { channel, replyTo, editing } = talk
  const { name } = channel
  const me = parley.account.getSnapshot()?.user_id
  const field = useRef<HTMLTextAreaElement>(null)
  const text = draftOf(name)
  const left = facts.maxMessageLength - (text.length > facts.maxMessageLength - COUNTED ? lengthOf(text) : text.length)
  const wait = useSlowMode(state, me)
  const label = t.channel.placeholder(state.details?.peer?.username ?? `#${name}`)
  talk.focusComposer = () => field.current?.focus()
  useEffect(() => { if (!isAtMessage && matchMedia('(any-pointer: fine)').matches) field.current!.focus() }, [name])

  function write (next: string): void {
    setDraft(name, next)
    channel.typing(next.trim() !== '')
  }

  function send (): void {
    if (text.trim() === '' || left < 0 || wait > 0) return
    const reply = replyTo.value
    channel.send(text, reply && { replyTo: reply.id }).catch((error: unknown) => {
      // The outbox shows all other failures.
      if (!(error instanceof ParleyError) || error.code !== 'outbox_full') return
      if (draftOf(name) === '') setDraft(name, text)
      toast(errorText(error))
    })
    setDraft(name, '')
    replyTo.value = undefined
    talk.jumpToEnd()
    field.current!.focus()
  }

  function onKeyDown (event: KeyboardEvent): void {
    if (event.key === 'Escape' && !event.isComposing) replyTo.value = undefined
    if (event.key !== 'ArrowUp' || text !== '') return
    const last = state.messages.findLast(({ user_id: author, deleted }) => author === me && !deleted)
    if (!last) return
    event.preventDefault()
    editing.value = { id: last.id, text: last.message ?? '' }
  }

  return (
    <form
      class='composer'
      onSubmit={event => {
        event.preventDefault()
        send()
      }}
    >
      {replyTo.value && <Replying to={replyTo.value} onCancel={() => { replyTo.value = undefined }} />}
      <GrowingField field={field} label={label} text={text} onText={write} onEnter={send} onKeyDown={onKeyDown} />
      {wait > 0 && <p class='hint' role='timer'>{t.channel.slowMode(wait)}</p>}
      {left < 0 && <p class='hint over' role='status'>{t.channel.tooLong(-left)}</p>}
      {left >= 0 && left < COUNTED && <p class='hint' role='status'>{t.channel.left(left)}</p>}
      <IconButton type='submit' icon='send' label={t.channel.send} aria-disabled={text.trim() === '' || left < 0 || wait > 0} />
    </form>
  )
}

function Replying ({ to: { username, message }, onCancel }: { to: Message, onCancel (): void }) {
  return (
    <div class='replying'>
      <Icon name='reply' />
      <p class='cut'>{t.channel.replyingTo} <b dir='auto'>{username}</b> <span class='soft' dir='auto'>{plainText(message ?? '')}</span></p>
      <IconButton icon='close' label={t.channel.cancelReply} onClick={onCancel} />
    </div>
  )
}
