import type { ChannelState } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { plainText } from './markup.ts'

/** Most messages that are read aloud at once, and most lines that are kept. */
const MOST_AT_ONCE = 3
const MOST_LINES = 10
/** Milliseconds after which a number of unread messages is read aloud, if it lasts. */
const SETTLED_AFTER = 1000

/**
 * Reads new messages of others aloud. The list of messages is no live region, because older ones come and go in it as one scrolls. How many
 * messages are unread is a status of its own.
 */
export function Announcer ({ state: { state, messages, unread } }: { state: ChannelState }) {
  const lines = useSignal<Array<{ id: string, text: string }>>([])
  const heard = useRef<number>(undefined)
  const count = useSignal(0)

  useEffect(() => {
    const last = messages.at(-1)?.seq ?? 0
    if (state !== 'live') return
    const from = heard.current
    heard.current = last
    if (from === undefined || last <= from) return
    const me = parley.account.getSnapshot()?.user_id
    const fresh = messages.slice(-MOST_AT_ONCE).filter(({ seq, user_id: author }) => seq > from && author !== me)
    const read = fresh.map(({ id, username, message }) => ({ id, text: `${username}: ${plainText(message ?? '')}` }))
    lines.value = [...lines.value, ...read].slice(-MOST_LINES)
  }, [state, messages])

  useEffect(() => {
    const timer = setTimeout(() => { count.value = unread }, SETTLED_AFTER)
    return () => clearTimeout(timer)
  }, [unread])

  return (
    <div class='unseen'>
      <div role='log' aria-label={t.channel.log}>{lines.value.map(({ id, text }) => <p key={id}>{text}</p>)}</div>
      <p role='status'>{count.value > 0 && t.channel.newMessages(count.value)}</p>
    </div>
  )
}
