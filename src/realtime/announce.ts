import type { Broker } from '../broker/broker.ts'
import type { Announce } from '../presence/presence.ts'
import { encode } from './codec.ts'

/** For how long a channel's presence frames are gathered after one went out, in milliseconds. The rule allows 1 s [P23]. */
const WINDOW_MS = 500

/**
 * Tells a channel's subscribers, on every instance, that users came or went [P23]. A lone one is told at once; those that
 * follow within the window go out together, so that a thousand joins are not a million writes.
 */
export function createAnnounce (broker: Broker): Announce {
  /** Channels with an open window, and what waits for its end. */
  const windows = new Map<string, Buffer[]>()
  let timer: NodeJS.Timeout | undefined

  function publish (channelId: string, frame: Buffer): void {
    broker.publish(`channel:${channelId}`, { kind: 'notice', frame })
  }

  function endWindows (): void {
    for (const [channelId, frames] of windows) {
      if (frames.length === 0) {
        windows.delete(channelId)
        continue
      }
      publish(channelId, Buffer.concat(frames))
      windows.set(channelId, [])
    }
    if (windows.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return (type, channel, user) => {
    const frame = encode({ type, user_id: user.user_id, username: user.username, channel: channel.name, timestamp: new Date().toISOString() })
    const waiting = windows.get(channel.id)
    if (waiting) {
      waiting.push(frame)
      return
    }
    windows.set(channel.id, [])
    timer ??= setInterval(endWindows, WINDOW_MS).unref()
    publish(channel.id, frame)
  }
}
