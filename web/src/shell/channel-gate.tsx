import { useInbox, useReadable } from '@parley/client/react'
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ChannelView } from '../channel/channel-view.tsx'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { t } from '../text.ts'
import { Empty } from '../ui/empty.tsx'
import { Loading } from '../ui/loading.tsx'
import { ChannelPreview } from './channel-preview.tsx'
import { entering } from './entering.ts'
import { wasMember } from './memberships.ts'

/**
 * Shows a channel to its members, and a preview to everybody else. The client joins a channel when it opens it, and the server may create
 * one that is unknown, so that a link must not open a channel before its reader wants to join.
 */
export function ChannelGate ({ name, message }: { name: string, message: string | undefined }) {
  const isIn = useSignal(isMember(name))
  useSignalEffect(() => { if (entering.value === name) isIn.value = true })
  useEffect(() => () => { if (entering.peek() === name) entering.value = undefined }, [name])
  if (!isIn.value) return <Door name={name} onEnter={() => { isIn.value = true }} />
  return <ChannelView name={name} message={message} />
}

function isMember (name: string): boolean {
  const { channels, directs } = parley.inbox.getSnapshot()
  return channels.some(channel => channel.name === name) || directs.some(direct => direct.name === name)
}

/** Waits until it is known whether this person is a member. New people begin in the channel that always exists. */
function Door ({ name, onEnter }: { name: string, onEnter (): void }) {
  const { state, channels } = useInbox()
  const isOffline = useReadable(parley).state === 'waiting'
  const isNew = state === 'live' && channels.length === 0 && name === facts.defaultRoom
  const isOpen = isNew || isMember(name) || (isOffline && wasMember(name))
  useEffect(() => { if (isOpen) onEnter() }, [isOpen])
  if (isOpen) return null
  if (state === 'live') return <ChannelPreview name={name} />
  return isOffline ? <Empty icon='hash'><p>{t.shell.offline}</p></Empty> : <Loading />
}
