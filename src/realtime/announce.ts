import type { Broker, Topic } from '../broker/broker.ts'
import type { Announce } from '../presence/presence.ts'
import { encode } from './codec.ts'

/** For how long a channel's presence frames are gathered after one went out, in milliseconds. The rule allows 1 s [P23]. */
const WINDOW_MS = 500
/** Bytes that go out at once, and milliseconds until as many may follow: whoever reads takes 8 MB/s, and no notice is large [P59]. */
const PIECE_BYTES = 16_384
const PACE_MS = 2

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
  const publish = createPacer((topic: Topic, frame: Buffer, scope: Scope) => broker.publish(topic, { kind: 'notice', frame }, scope))

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

/** Publishes pieces in their order: at once up to `PIECE_BYTES` altogether, of whatever channels, the rest at its pace. */
function createPacer (publish: (topic: Topic, piece: Buffer, scope: Scope) => void) {
  let waiting: Array<Parameters<typeof publish>> = []
  let room = PIECE_BYTES
  let timer: NodeJS.Timeout | undefined

  function proceed (): void {
    let sent = 0
    while (sent < waiting.length && waiting[sent]![1].length <= room) {
      room -= waiting[sent]![1].length
      publish(...waiting[sent++]!)
    }
    if (sent > 0) waiting = waiting.slice(sent)
  }

  return (...piece: Parameters<typeof publish>): void => {
    waiting.push(piece)
    proceed()
    timer ??= setTimeout(renew, PACE_MS)
  }

  function renew (): void {
    timer = undefined
    room = PIECE_BYTES
    proceed()
    if (room < PIECE_BYTES) timer = setTimeout(renew, PACE_MS)
  }
}
