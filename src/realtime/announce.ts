import type { Broker, Topic } from '../broker/broker.ts'
import type { Announce } from '../presence/presence.ts'
import { encode } from './codec.ts'

/** For how long a channel's presence frames are gathered after one went out, in milliseconds. The rule allows 1 s [P23]. */
const WINDOW_MS = 500

/**
 * Tells a channel's subscribers, on every instance, that users came or went [P23]. A lone one is told at once; those that
 * follow within the window go out together, so that a thousand joins are not a million writes.
 */
export function createAnnounce (broker: Broker): Announce {
  /** Open windows by channel and scope, and what waits for their ends. */
  const windows = new Map<string, { topic: Topic, scope: Parameters<Announce>[3], frames: Buffer[] }>()
  let timer: NodeJS.Timeout | undefined

  function endWindows (): void {
    for (const [key, { topic, scope, frames }] of windows) {
      if (frames.length === 0) {
        windows.delete(key)
      } else {
        broker.publish(topic, { kind: 'notice', frame: Buffer.concat(frames) }, scope)
        frames.length = 0
      }
    }
    if (windows.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return (type, channel, user, scope) => {
    const { user_id, username } = user
    const frame = encode({ type, user_id, username, channel: channel.name, timestamp: new Date().toISOString() })
    const key = `${scope} ${channel.id}`
    const window = windows.get(key)
    if (window) {
      window.frames.push(frame)
      return
    }
    const topic: Topic = `channel:${channel.id}`
    windows.set(key, { topic, scope, frames: [] })
    timer ??= setInterval(endWindows, WINDOW_MS).unref()
    broker.publish(topic, { kind: 'notice', frame }, scope)
  }
}
