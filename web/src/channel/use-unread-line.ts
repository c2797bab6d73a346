import type { Channel, ChannelState } from '@parley/client'
import { useEffect, useRef } from 'preact/hooks'

/**
 * Keeps where the line above the unread messages is: where this user had read to when the channel was opened, when they left the page, or
 * when they scrolled away from the end. There is none while they follow the channel.
 */
export function useUnreadLine (channel: Channel, { state, readTo, unread }: ChannelState) {
  const line = useRef<{ at: number | undefined }>(undefined)
  if (!line.current && state === 'live') line.current = { at: unread > 0 ? readTo : undefined }

  useEffect(() => {
    const hold = (): void => {
      if (document.visibilityState === 'hidden' && line.current) line.current.at = channel.getSnapshot().readTo
    }
    document.addEventListener('visibilitychange', hold)
    return () => document.removeEventListener('visibilitychange', hold)
  }, [channel])

  return {
    at: line.current?.at,
    /** The user leaves the end (`false`) or is there again. `isShown`: the line stands above some message. */
    follow (isFollowing: boolean, isShown: boolean): void {
      if (line.current && !isShown) line.current.at = isFollowing ? undefined : line.current.at ?? channel.getSnapshot().readTo
    }
  }
}
