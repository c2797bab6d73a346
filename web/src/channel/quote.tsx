import type { Message } from '@parley/client'
import { useEffect, useState } from 'preact/hooks'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Icon } from '../ui/icon.tsx'
import { plainText } from './markup.ts'
import { useTalk } from './talk.ts'

/** Messages that were asked for because a reply names them, null where there is none any more. */
const asked = new Map<string, Promise<Message | null>>()
const MAX_ASKED = 200

/** The line above a reply with the message that it replies to. A click shows that message. */
export function Quote ({ id }: { id: string }) {
  const talk = useTalk()
  const loaded = talk.channel.getSnapshot().messages.findLast(message => message.id === id)
  const [found, setFound] = useState<Message | null | undefined>()
  const original = loaded ?? found
  useEffect(() => {
    if (loaded) return
    let isShown = true
    ask(talk.channel.name, id).then(message => { if (isShown) setFound(message) })
    return () => { isShown = false }
  }, [id, loaded === undefined])

  if (!original || original.deleted) {
    return <p class='quote soft'><Icon name='reply' />{original === undefined ? t.common.loading : t.channel.originalGone}</p>
  }
  return (
    <p class='quote'>
      <Icon name='reply' />
      <button type='button' tabIndex={-1} title={t.channel.showOriginal} onClick={() => talk.jumpTo(id)}>
        <b dir='auto'>{original.username}</b> <span dir='auto'>{plainText(original.message ?? '')}</span>
      </button>
    </p>
  )
}

/** Asks for a message once. It is asked for again after a failure. */
function ask (channel: string, id: string): Promise<Message | null> {
  const known = asked.get(id)
  if (known) return known
  const answer = parley.rest('GET /api/channels/:name/messages/:id', { params: { name: channel, id } }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'message_not_found')) asked.delete(id)
    return null
  })
  const [oldest] = asked.keys()
  if (asked.size >= MAX_ASKED) asked.delete(oldest!)
  asked.set(id, answer)
  return answer
}
