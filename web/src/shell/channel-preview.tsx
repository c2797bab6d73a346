import { ParleyError, type ChannelInfo, type Message } from '@parley/client'
import { useInbox } from '@parley/client/react'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { errorText } from '../ui/error-text.ts'
import { Icon } from '../ui/icon.tsx'
import { Loading } from '../ui/loading.tsx'
import { enter } from './entering.ts'
import { FoundMessage } from './found-message.tsx'
import { decline } from './invitations.tsx'
import { ViewHeader } from './view-header.tsx'

const SHOWN_MESSAGES = 20

/** A channel that its reader is not in: `info` is missing for guests, who may join but not ask. */
interface Preview { info?: ChannelInfo, messages: readonly Message[] }

/** Shows a channel to somebody who may join it. Of one that they may not know of it says nothing, as of one that does not exist. */
export function ChannelPreview ({ name }: { name: string }) {
  const preview = useSignal<Preview | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  useEffect(() => { load(name).then(found => { preview.value = found }, (failure: unknown) => { error.value = failure }) }, [name])
  if (error.value) return <Unknown error={error.value} />
  if (!preview.value) return <Loading />
  const { info, messages } = preview.value
  return (
    <article class='view preview' aria-label={name}>
      <ViewHeader title={<><Icon name={info?.channel_type === 'private' ? 'lock' : 'hash'} /><span class='cut' dir='auto'>{name}</span></>}>
        {info?.topic && <p class='topic cut soft' dir='auto'>{info.topic}</p>}
      </ViewHeader>
      <div class='scroll' tabIndex={0} role='region' aria-label={t.browse.latest}>
        <div>
          {messages.map(message => <div key={message.id} class='found'><FoundMessage message={message} words={[]} /></div>)}
          {messages.length === 0 && <Empty icon='hash'><p>{info?.last_seq === 0 ? t.browse.empty : t.browse.nothingToShow}</p></Empty>}
        </div>
      </div>
      <JoinBar name={name} people={info?.user_count} />
    </article>
  )
}

function JoinBar ({ name, people }: { name: string, people: number | undefined }) {
  const invitation = useInbox().invitations.find(({ channel }) => channel === name)
  return (
    <footer class='join-bar'>
      <p dir='auto'>
        {invitation?.username ? t.shell.invitedBy(invitation.username) : t.browse.notIn}
        {people !== undefined && <span class='soft'>{t.common.people(people)}</span>}
      </p>
      {invitation && <Button kind='quiet' onClick={() => decline(name)}>{t.browse.decline}</Button>}
      <Button kind='primary' onClick={() => enter(name)}>{t.browse.joinChannel}</Button>
    </footer>
  )
}

function Unknown ({ error }: { error: unknown }) {
  const isUnknown = error instanceof ParleyError && ['channel_not_found', 'invalid_channel_name'].includes(error.code)
  return (
    <article class='view'>
      <ViewHeader title={t.browse.noChannel} />
      <Empty icon='compass'>
        <p>{isUnknown ? t.browse.unknown : errorText(error)}</p>
        <Link class='button' to={{ view: 'browse' }}>{t.shell.browse}</Link>
      </Empty>
    </article>
  )
}

async function load (name: string): Promise<Preview> {
  if (parley.account.getSnapshot() === null) {
    await parley.request('user_list', { channel: name, limit: 1 })
    return { messages: [] }
  }
  const params = { name }
  const info = await parley.rest('GET /api/channels/:name', { params })
  try {
    const { messages } = await parley.rest('GET /api/channels/:name/messages', { params, query: { limit: SHOWN_MESSAGES } })
    return { info, messages }
  } catch (error) {
    // Invited people may join, but read only then.
    if (error instanceof ParleyError && error.code === 'not_authorized') return { info, messages: [] }
    throw error
  }
}
