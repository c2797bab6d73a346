import type { Broker, Topic } from '../broker/broker.ts'
import type { Announce } from '../presence/presence.ts'
import { encode } from './frames.ts'

/** For how long a channel's presence frames are gathered after one went out, in milliseconds. The rule allows 1 s [P23]. */
const WINDOW_MS = 500
/** Bytes of frames that are published as one [P59]. */
const PIECE_BYTES = 16_384

type Scope = Parameters<Announce>[3]

/** All frames in a window have the same scope. */
interface Window { scope: Scope, frames: Buffer[] }

/**
 * Tells a channel's subscribers, on every instance, that users came or went [P23]. A lone one is told at once; those that
 * follow within the window go out together, so that a thousand joins are not a million writes, and in pieces.
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
      // Of another scope: it must not overtake what waits, nor wait with it.
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

/** Frames joined to pieces of at most `PIECE_BYTES` each. */
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
