import type { InboxChannel, ParleyOptions } from '@parley/client'
import type { Test } from '../tap.ts'
import { createScene, iso, type Scene } from './scripted.ts'

type Row = { -readonly [K in keyof InboxChannel]: InboxChannel[K] }

/** The lists of a user: the channels as the server has them, which the test changes, and the invitations. */
export function withInbox (t: Test, options: ParleyOptions = {}) {
  const table = new Map<string, Row>()
  const invitations: object[] = []
  const reads: string[] = []
  const scene: Scene = createScene(t, {
    async fetch (input) {
      reads.push(new URL(String(input)).pathname)
      return Response.json({ invitations, next_cursor: null })
    },
    ...options
  })
  const { clock, answers, parley } = scene

  /** Adds a channel, or changes it. `at`: seconds at which its newest message was sent. */
  function has (name: string, { at, ...numbers }: Partial<Row> & { at?: number } = {}): void {
    const fresh: Row = {
      id: `id of ${name}`, name, channel_type: 'public', user_count: 2, topic: '',
      last_seq: 0, read_seq: 0, unread_count: 0, last_message_at: null
    }
    table.set(name, { ...table.get(name) ?? fresh, ...numbers, ...at !== undefined && { last_message_at: iso(at * 1000) } })
  }

  /** Somebody has written in a channel that the client is not subscribed to. */
  function hears (name: string, isTold = true): void {
    const { last_seq: seq, unread_count: unread } = table.get(name)!
    has(name, { last_seq: seq + 1, unread_count: unread + 1, at: clock.now() / 1000 })
    if (isTold) scene.socket.say({ type: 'channel_activity', channel: name, seq: seq + 1, timestamp: iso(clock.now()) })
  }

  const byNewest = (a: Row, b: Row): number => (b.last_message_at ?? '').localeCompare(a.last_message_at ?? '')

  function page (limit: number, cursor: string | undefined) {
    const from = Number(cursor ?? 0)
    const all = [...table.values()].sort(byNewest)
    const channels = all.slice(from, from + limit).map(row => ({ ...row, joined: true, online_count: 1 }))
    return { type: 'channel_list', channels, next_cursor: from + limit < all.length ? String(from + limit) : null }
  }

  answers.channel_list = ({ limit, cursor, ref }, socket) => socket.say({ ...page(limit, cursor), ref })

  return {
    ...scene, scene, table, invitations, reads, has, hears, page,
    get socket () { return scene.socket },
    /** Requests for the list that the newest connection has made. */
    asked: () => scene.socket.asked('channel_list'),
    unread: () => Object.fromEntries(parley.inbox.getSnapshot().channels.map(({ name, unread_count: count }) => [name, count]))
  }
}
