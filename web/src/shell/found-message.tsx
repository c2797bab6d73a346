import type { Message } from '@parley/client'
import { language, t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { marked } from './marked-words.ts'

/** A message outside of its channel, with the found words marked. `place`: what its channel is called. */
export function FoundMessage ({ message: { user_id: id, username, message, timestamp, deleted }, words, place }: {
  message: Message, words: readonly string[], place?: string | undefined
}) {
  return (
    <>
      <Avatar id={id} name={username} />
      <div class='what'>
        <p class='by'>
          <b class='cut' dir='auto'>{username}</b>
          {place !== undefined && <span class='cut soft small' dir='auto'>{place}</span>}
          <time class='soft small' dateTime={timestamp}>{shortTime(timestamp)}</time>
        </p>
        <p class='said' dir='auto'>
          {deleted
            ? <span class='soft'>{t.search.deleted}</span>
            : marked(message ?? '', words).map((part, at) => at % 2 === 1 ? <mark key={at}>{part}</mark> : part)}
        </p>
      </div>
    </>
  )
}

/** The time today, the day this year, or the whole date. */
function shortTime (timestamp: string): string {
  const [at, now] = [new Date(timestamp), new Date()]
  if (at.toDateString() === now.toDateString()) return at.toLocaleTimeString(language, { timeStyle: 'short' })
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' } as const
  return at.toLocaleDateString(language, { day: 'numeric', month: 'short', ...year })
}
