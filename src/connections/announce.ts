import type { Broker, Topic } from '../broker/broker.ts'
import type { Announce } from '../presence/presence.ts'
import { encode } from './frames.ts'

/** Milliseconds for which a channel's presence frames are collected after one was sent. The protocol allows 1 s [P23]. */
const WINDOW_MS = 500
/** Most bytes of frames that are published together [P59]. */
const PIECE_BYTES = 16_384

type Scope = Parameters<Announce>[3]

/** All frames in a window have the same scope. */
interface Window { scope: Scope, frames: Buffer[] }

/**
 * Announces to a channel's subscribers, on every instance, that users joined or left [P23]. The first change is announced at once. Further
 * changes within the window are sent together, in pieces, so that a thousand joins do not cause a million writes.
 */
export function createAnnounce (broker: Broker): Announce {
  /** Open windows by channel. */
  const windows = new Map<Topic, Window>()
  let timer: NodeJS.Timeout | undefined
  const publish = (topic: Topic, frame: Buffer, scope: Scope): void => broker.publish(topic, { kind: 'notice', frame }, scope)

  function flush (topic: Topic, window: Window): void {
    for (const piece of cut(window.frames)) publish(topic, piece, window.scope)
    window.frames = []
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
      // A frame of another scope must neither overtake the waiting frames nor be sent with them.
      if (window.scope !== scope && window.frames.length > 0) flush(topic, window)
      window.scope = scope
      window.frames.push(frame)
      return
    }
    windows.set(topic, { scope, frames: [] })
    timer ??= setInterval(endWindows, WINDOW_MS).unref()
    publish(topic, frame, scope)
  }
}

/** Joins frames into pieces of at most `PIECE_BYTES` each. */
function cut (frames: Buffer[]): Buffer[] {
  const pieces: Buffer[][] = []
  let room = 0
  for (const frame of frames) {
    if (frame.length > room) {
      pieces.push([])
      room = PIECE_BYTES
    }
    pieces.at(-1)!.push(frame)
    room -= frame.length
  }
  return pieces.map(piece => Buffer.concat(piece))
}
