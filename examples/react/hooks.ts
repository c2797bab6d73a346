import { useEffect, useSyncExternalStore } from 'react'
import type { Channel, ChannelState, Parley, Readable } from '@parley/client'

/** The current value of anything that the client shows. The component renders again when it changes. */
export function useReadable<T> (readable: Readable<T>): T {
  return useSyncExternalStore(readable.subscribe, readable.getSnapshot)
}

/** Joins a channel as long as the component is there. @returns the channel and what it shows. */
export function useChannel (parley: Parley, name: string): [Channel, ChannelState] {
  const channel = parley.channel(name)
  useEffect(() => channel.open(), [channel])
  return [channel, useReadable(channel)]
}
