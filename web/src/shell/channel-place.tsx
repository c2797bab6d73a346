import { useEffect } from 'preact/hooks'
import { ChannelView } from '../channel/channel-view.tsx'
import { settleFocus } from './landing.ts'

/** A channel as a place that one jumps to: it takes the focus when it is there. */
export function ChannelPlace ({ name, message }: { name: string, message: string | undefined }) {
  useEffect(settleFocus, [name])
  return <ChannelView name={name} message={message} />
}
