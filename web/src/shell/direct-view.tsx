import { ParleyError } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { openNewDirect } from '../dialogs.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { errorText } from '../ui/error-text.ts'
import { Loading } from '../ui/loading.tsx'
import { ChannelView } from '../channel/channel-view.tsx'
import { ViewHeader } from './view-header.tsx'

/** An id has dashes, which no handle has. */
const ID = /-/

/** The direct channel with a user, who is named by their id or handle. It is opened if there is none yet. */
export function DirectView ({ user, message }: { user: string, message: string | undefined }) {
  const name = useSignal(find(user))
  const error = useSignal<unknown>(undefined)
  useEffect(() => {
    if (name.value !== undefined) return
    parley.request('open_direct', ID.test(user) ? { user_id: user } : { handle: user })
      .then(({ channel }) => { name.value = channel.name }, (failure: unknown) => { error.value = failure })
  }, [])
  if (name.value !== undefined) return <ChannelView name={name.value} message={message} />
  return error.value ? <Failed error={error.value} /> : <Loading />
}

function find (user: string): string | undefined {
  return parley.inbox.getSnapshot().directs.find(({ peer }) => peer?.user_id === user || peer?.handle === user.toLowerCase())?.name
}

function Failed ({ error }: { error: unknown }) {
  const code = error instanceof ParleyError ? error.code : undefined
  // The server answers a name that cannot be one's as a request that is wrong.
  const isUnknown = code === 'user_not_found' || code === 'invalid_frame'
  return (
    <article class='view'>
      <ViewHeader title={t.direct.failed} />
      <Empty icon='person'>
        <p>{isUnknown ? t.direct.unknown : code === 'not_authorized' ? t.direct.self : errorText(error)}</p>
        <Button onClick={() => openNewDirect()}>{t.direct.title}</Button>
      </Empty>
    </article>
  )
}
