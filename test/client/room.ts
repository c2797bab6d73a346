import type { Channel } from '@parley/client'
import type { Test } from '../tap.ts'
import { createScene, type Scene } from './scripted.ts'

/** What a channel shows is what its history has in the window that is shown [C1]. */
export function isTrue (t: Test, channel: Channel, { history }: Scene): void {
  const { messages, gap } = channel.getSnapshot()
  const first = messages[0]?.seq ?? Infinity
  t.same(messages, history().filter(({ seq }) => seq >= first && !(gap && seq > gap.after && seq < gap.before)))
}

/** Answers REST reads of history as the server does. */
export function withRest (scene: () => Scene, calls: string[] = []): typeof fetch {
  return async input => {
    const url = new URL(String(input))
    calls.push(url.pathname + url.search)
    const { history, room } = scene()
    const all = history()
    const id = /messages\/(.+)$/.exec(url.pathname)?.[1]
    if (id) return Response.json(all.find(message => message.id === id))
    const limit = Number(url.searchParams.get('limit') ?? 50)
    const around = url.searchParams.get('around')
    const before = Number(url.searchParams.get('before') ?? Infinity)
    const below = all.filter(({ seq }) => seq < (around === null ? before : Number(around)))
    const after = url.searchParams.get('after')
    if (after !== null) return page(all.filter(({ seq }) => seq > Number(after)).slice(0, limit))
    const messages = around === null
      ? below.slice(-limit)
      : all.slice(Math.max(0, below.length - Math.floor(limit / 2))).slice(0, limit)
    return page(messages)

    function page (messages: unknown[]): Response {
      return Response.json({ messages, channel_id: room.id, last_seq: room.entries.length, last_id: null })
    }
  }
}

/** Opens the channel `room` that has `before` messages already, with a first page of `history` messages, and a window of `window`. */
export async function opened (t: Test, before = 0, history = 50, window = 1000) {
  const calls: string[] = []
  const scene: Scene = createScene(t, { fetch: withRest(() => scene, calls) })
  for (let i = 0; i < before; i++) scene.text(`old ${i}`, {}, false)
  const channel = scene.parley.channel('room', { history, window })
  const close = channel.open()
  await scene.connect()
  t.equal(channel.getSnapshot().state, 'live')
  return { scene, channel, close, calls }
}
