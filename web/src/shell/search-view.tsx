import type { InboxChannel, Message } from '@parley/client'
import { useInbox, useReadable } from '@parley/client/react'
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { parley } from '../client.ts'
import { go } from '../route.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { Loading } from '../ui/loading.tsx'
import { FoundMessage } from './found-message.tsx'
import { wordsOf } from './marked-words.ts'
import { useMessageSearch } from './message-search.ts'
import { placeOf, sorted } from './places.ts'
import { ViewHeader } from './view-header.tsx'

/** Code points that a search may have. */
const MAX_QUERY = 200

/** Searches the messages of all of the person's channels, or of one. The address has what is looked for. */
export function SearchView (wanted: Wanted) {
  const isGuest = useReadable(parley.account) === null
  return (
    <article class='view' aria-label={t.search.title}>
      <ViewHeader title={t.search.title} />
      <div class='scroll'>
        <div class='column'>{isGuest ? <Empty icon='search'><p>{t.search.noGuests}</p></Empty> : <Search {...wanted} />}</div>
      </div>
    </article>
  )
}

interface Wanted { query: string, channel: string | undefined }

function Search ({ query, channel }: Wanted) {
  const { channels, directs } = useInbox()
  const places = [...sorted(channels), ...directs]
  const key = `${query} ${channel}`
  return (
    <>
      <SearchForm key={key} query={query} channel={channel} places={places} />
      {query.trim() === ''
        ? <Empty icon='search'><p>{t.search.help}</p></Empty>
        : <Results key={key} query={query} channel={channel} places={places} />}
    </>
  )
}

interface SearchProps extends Wanted { places: readonly InboxChannel[] }

function SearchForm ({ query, channel, places }: SearchProps) {
  const text = useSignal(query)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => { if (query === '') field.current!.focus() }, [])
  const search = (where = ''): void => {
    go({ view: 'search', query: text.value.trim(), ...where !== '' && { channel: where } }, { replace: query === '' })
  }
  return (
    <form
      class='search-form' role='search'
      onSubmit={event => {
        event.preventDefault()
        search(channel)
      }}
    >
      <input
        ref={field} class='input' type='search' aria-label={t.search.label} placeholder={t.search.label} dir='auto'
        maxLength={MAX_QUERY} value={text.value} onInput={event => { text.value = event.currentTarget.value }}
      />
      <select class='input' aria-label={t.search.where} value={channel ?? ''} onChange={event => search(event.currentTarget.value)}>
        <option value=''>{t.search.everywhere}</option>
        {places.map(place => <option key={place.id} value={place.name}>{place.peer?.username ?? `# ${place.name}`}</option>)}
      </select>
      <Button kind='primary' type='submit'>{t.search.act}</Button>
    </form>
  )
}

function Results ({ query, channel, places }: SearchProps) {
  const { messages, state, error, more } = useMessageSearch(query, channel)
  const words = wordsOf(query)
  const found = messages.value
  const isAtEnd = state.value === 'whole'
  return (
    <>
      <p class='small soft' role='status'>{found.length > 0 && state.value !== 'loading' && t.search.found(found.length, !isAtEnd)}</p>
      <ol class='results'>
        {found.map(message => <Result key={message.id} message={message} words={words} places={places} />)}
      </ol>
      {isAtEnd && found.length === 0 && <Empty icon='search'><p role='status'>{t.search.nothing}</p></Empty>}
      {state.value === 'loading' && <Loading />}
      {state.value === 'failed' && <p class='form-error' role='alert'>{error.value}</p>}
      {state.value === 'more' && <Button onClick={more}>{t.search.more}</Button>}
      {state.value === 'failed' && <Button onClick={more}>{t.common.retry}</Button>}
    </>
  )
}

function Result ({ message, words, places }: { message: Message, words: readonly string[], places: readonly InboxChannel[] }) {
  const place = places.find(({ name }) => name === message.channel)
  const peer = place?.peer
  const where = !peer ? `# ${message.channel}` : peer.user_id === message.user_id ? t.search.direct : t.search.directTo(peer.username)
  return (
    <li>
      <Link class='found' to={placeOf(place ?? { name: message.channel }, message.id)}>
        <FoundMessage message={message} words={words} place={where} />
      </Link>
    </li>
  )
}
