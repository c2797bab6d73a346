import { useInbox } from '@parley/client/react'
import { useComputed, useSignal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { parley } from '../client.ts'
import { openCreateChannel } from '../dialogs.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { Icon } from '../ui/icon.tsx'
import { Loading } from '../ui/loading.tsx'
import { createChannelDirectory, type ListedChannel } from './channel-directory.ts'
import { enter } from './entering.ts'
import { fitOf } from './fit.ts'
import { ViewHeader } from './view-header.tsx'

/** The channels that somebody may join. */
export function BrowseView () {
  const [directory] = useState(createChannelDirectory)
  const query = useSignal('')
  const found = useComputed(() => directory.channels.value.filter(({ name, topic }) =>
    query.value.trim() === '' || Math.max(fitOf(query.value, name), fitOf(query.value, topic)) > 0)).value
  const joined = new Set(useInbox().channels.map(({ name }) => name))
  const { state, error } = directory
  useEffect(() => { directory.read() }, [])

  function create (): void {
    openCreateChannel(found.length === 0 ? query.value : '')
  }

  return (
    <article class='view' aria-label={t.shell.browse}>
      <ViewHeader title={t.shell.browse}>
        {parley.account.getSnapshot() && <Button onClick={create}><Icon name='add' /><span>{t.create.title}</span></Button>}
      </ViewHeader>
      <div class='scroll'>
        <div class='column'>
          <input
            class='input' type='search' aria-label={t.browse.find} placeholder={t.browse.find} value={query.value} maxLength={64}
            onInput={event => {
              query.value = event.currentTarget.value
              // The server does not search in names, so all of them are read.
              directory.read(true)
            }}
          />
          <p class='unseen' role='status'>{state.value !== 'loading' && query.value !== '' && t.jump.found(found.length)}</p>
          <ul class='channels'>{found.map(channel => <Row key={channel.id} channel={channel} isJoined={joined.has(channel.name)} />)}</ul>
          {found.length === 0 && state.value === 'whole' && <Nothing query={query.value} onCreate={create} />}
          {state.value === 'loading' && <Loading />}
          {state.value === 'failed' && <p class='form-error' role='alert'>{error.value}</p>}
          {(state.value === 'more' || state.value === 'failed') && (
            <Button onClick={() => directory.read()}>{state.value === 'more' ? t.common.more : t.common.retry}</Button>
          )}
        </div>
      </div>
    </article>
  )
}

function Row ({ channel, isJoined }: { channel: ListedChannel, isJoined: boolean }) {
  const { name, channel_type: type, topic, user_count: count } = channel
  return (
    <li>
      <Link class='what' to={{ view: 'channel', name }}>
        <Icon name={type === 'private' ? 'lock' : type === 'public' ? 'hash' : 'admin'} />
        <span>
          <span class='name'><b dir='auto'>{name}</b> <span class='soft small'>{t.common.people(count)}</span></span>
          {topic && <span class='topic soft' dir='auto'>{topic}</span>}
        </span>
      </Link>
      {isJoined
        ? <span class='done small soft'><Icon name='check' />{t.browse.joined}</span>
        : <Button aria-label={t.browse.join(name)} onClick={() => enter(name)}>{t.browse.joinShort}</Button>}
    </li>
  )
}

function Nothing ({ query, onCreate }: { query: string, onCreate (): void }) {
  return (
    <Empty icon='compass'>
      <p dir='auto'>{query.trim() === '' ? t.browse.none : t.browse.noneFound(query.trim())}</p>
      {parley.account.getSnapshot() && <Button onClick={onCreate}>{t.create.title}</Button>}
    </Empty>
  )
}
