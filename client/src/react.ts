import { createContext, createElement, useContext, useEffect, useSyncExternalStore, type ReactElement, type ReactNode } from 'react'
import type { Channel, ChannelOptions, ChannelState, Inbox, Parley, Readable } from './index.ts'

const Context = createContext<Parley | null>(null)

/**
 * Gives the components in it the client, which belongs to the application: it says when to `connect` and `disconnect`.
 *
 *     <ParleyProvider client={parley}><App /></ParleyProvider>
 */
export function ParleyProvider ({ client, children }: { client: Parley, children?: ReactNode }): ReactElement {
  return createElement(Context.Provider, { value: client }, children)
}

/** Returns the client. @throws Error outside of a `ParleyProvider`. */
export function useParley (): Parley {
  const parley = useContext(Context)
  if (!parley) throw new Error('no ParleyProvider')
  return parley
}

/**
 * Returns a readable value, and renders anew when it changes: `useReadable(parley)` is the state of the connection,
 * `useReadable(parley.account)` the login, `useReadable(channel.presence)` who is online.
 */
export function useReadable<T> ({ subscribe, getSnapshot }: Readable<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
}

/**
 * Keeps a channel open as long as the component is there, and returns what it shows together with the channel itself. Any number of
 * components may use one channel; it is joined once, also in StrictMode. The options are those of the first use.
 *
 *     const { channel, messages, unread } = useChannel('general')
 */
export function useChannel (name: string, options?: ChannelOptions): ChannelState & { channel: Channel } {
  const channel = useParley().channel(name, options)
  useEffect(channel.open, [channel])
  return { ...useReadable(channel), channel }
}

/** Returns the inbox: the user's channels with their unread messages, direct channels and invitations. */
export function useInbox (): Inbox {
  return useReadable(useParley().inbox)
}
