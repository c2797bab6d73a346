import type { Broker, Topic } from '../broker/broker.ts'
import type { Announce } from '../presence/presence.ts'
import { encode } from './codec.ts'

/** For how long a channel's presence frames are gathered after one went out, in milliseconds. The rule allows 1 s [P23]. */
const WINDOW_MS = 500

/** What waits for its end is of one scope. */
interface Window { scope: Parameters<Announce>[3], frames: Buffer[] }

/**
 * Tells a channel's subscribers, on every instance, that users came or went [P23]. A lone one is told at once; those that
 * follow within the window go out together, so that a thousand joins are not a million writes.
 */
export function createAnnounce (broker: Broker): Announce {
  /** Open windows by channel. */
  const windows = new Map<Topic, Window>()
  let timer: NodeJS.Timeout | undefined

  function flush (topic: Topic, { scope, frames }: Window): void {
    broker.publish(topic, { kind: 'notice', frame: Buffer.concat(frames) }, scope)
    frames.length = 0
  }

  function endWindows (): void {
    for (const [topic, window] of windows) {
      if (window.frames.length === 0) windows.delete(topic)
      else flush(topic, window)
    }
    if (windows.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return (type, channel, user, scope) => {
    const { user_id, username } = user
    const frame = encode({ type, user_id, username, channel: channel.name, timestamp: new Date().toISOString() })
    const topic: Topic = `channel:${channel.id}`
    const window = windows.get(topic)
    if (window) {
      // Of another scope: it must not overtake what waits, nor wait with it.
      if (window.scope !== scope && window.frames.length > 0) flush(topic, window)
      window.scope = scope
      window.frames.push(frame)
      return
    }
    windows.set(topic, { scope, frames: [] })
    timer ??= setInterval(endWindows, WINDOW_MS).unref()
    broker.publish(topic, { kind: 'notice', frame }, scope)
  }
}
