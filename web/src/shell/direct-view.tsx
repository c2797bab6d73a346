import { useReadable } from '@parley/client/react'
import { ParleyError } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ChannelView } from '../channel/channel-view.tsx'
import { parley } from '../client.ts'
import { Empty } from '../ui/empty.tsx'
import { errorText } from '../ui/error-text.ts'
import { Loading } from '../ui/loading.tsx'

/** The direct channel with a user, who is named by their id or handle. */
export function DirectView ({ user, message }: { user: string, message: string | undefined }) {
  const known = useReadable(parley.inbox).directs.find(({ peer }) => peer?.user_id === user)?.name
  const asked = useSignal<string | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const name = known ?? asked.value
  useEffect(() => {
    if (name !== undefined) return
    parley.direct(user).then(channel => { asked.value = channel.name }, (failure: ParleyError) => { error.value = failure })
  }, [user, name])
  if (error.value) return <Empty icon='person'><p>{errorText(error.value)}</p></Empty>
  return name === undefined ? <Loading /> : <ChannelView key={name} name={name} message={message} />
}
