import type { InboxChannel } from '@parley/client'
import { parley } from '../client.ts'
import { addressOf, go, type Route } from '../route.ts'
import { t } from '../text.ts'
import { canNotify, loadNotifySettings } from './notify-settings.ts'

/** Locks of all tabs: the first is held by the tab that notifies, the second by each tab that somebody sees. */
const NOTIFIER = 'parley-web:notifier'
const SEEN = 'parley-web:seen'
/** Newest messages of a channel that are looked at, and characters of a message that are shown. */
const PAGE = 20
const SHOWN = 200

/** The data of a notification, so that the service worker can open the message. */
export interface NotificationData { route: Route, address: string }

/** The newest entry of each channel at the last look, and whose they are. */
let last: { userId: string, seqs: Map<string, number> } | undefined

/** Notifies of messages while no tab is visible. One tab does so for all. */
export function startNotifier (): void {
  if (!canNotify()) return
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ type: string, route: Route }>) => {
    if (data.type === 'open') go(data.route)
  })
  document.addEventListener('visibilitychange', whileVisible)
  whileVisible()
  navigator.locks.request(NOTIFIER, () => new Promise(() => {
    parley.inbox.subscribe(look)
    look()
  })).catch(console.error)
}

/** Tells the other tabs that somebody sees this one, until it is hidden. What was notified has been seen now. */
function whileVisible (): void {
  if (document.visibilityState !== 'visible') return
  navigator.locks.request(SEEN, { mode: 'shared' }, () => new Promise<void>(resolve => {
    if (document.visibilityState === 'visible') document.addEventListener('visibilitychange', () => resolve(), { once: true })
    else resolve()
  })).catch(console.error)
  navigator.serviceWorker.getRegistration().then(async registration => {
    for (const notification of await registration?.getNotifications() ?? []) notification.close()
  }).catch(console.error)
}

/** Finds the channels in which something is new since the last look. */
function look (): void {
  const { state, channels, directs } = parley.inbox.getSnapshot()
  const me = parley.account.getSnapshot()
  if (state !== 'live' || !me) return
  const rows = [...channels, ...directs]
  const before = last
  last = { userId: me.user_id, seqs: new Map(rows.map(({ id, last_seq: seq }) => [id, seq])) }
  if (before?.userId !== me.user_id || document.visibilityState === 'visible') return
  const risen = rows.filter(({ id, last_seq: seq, unread_count: unread }) => unread > 0 && seq > (before.seqs.get(id) ?? 0))
  // The permission is asked for last: the browser's main process has to answer, and the page waits for it.
  if (risen.length > 0 && loadNotifySettings().isOn && Notification.permission === 'granted') {
    tell(risen, before.seqs, me.handle).catch(() => {})
  }
}

async function tell (rows: InboxChannel[], seqs: Map<string, number>, handle: string | null): Promise<void> {
  const { held = [] } = await navigator.locks.query()
  if (held.some(({ name }) => name === SEEN)) return
  for (const row of rows) {
    const seen = Math.max(seqs.get(row.id) ?? 0, row.read_seq)
    const isAll = row.peer !== undefined || loadNotifySettings().channels.includes(row.name)
    const { messages } = await parley.rest('GET /api/channels/:name/messages', { params: { name: row.name }, query: { limit: PAGE } })
    const found = messages.findLast(({ seq, user_id: author, message }) =>
      seq > seen && author !== last?.userId && message !== null && (isAll || mentions(message, handle)))
    if (!found) continue
    const route: Route = row.peer
      ? { view: 'direct', user: row.peer.user_id, message: found.id }
      : { view: 'channel', name: row.name, message: found.id }
    await show(row.id, row.peer ? found.username : t.notifications.inChannel(found.username, row.name), found.message!, route)
  }
}

function mentions (text: string, handle: string | null): boolean {
  return handle !== null && new RegExp(`(^|[^\\w@])@${handle}(?!\\w)`, 'i').test(text)
}

/** Shows a notification, in place of an earlier one of the same channel. */
async function show (tag: string, title: string, text: string, route: Route): Promise<void> {
  const data: NotificationData = { route, address: addressOf(route) }
  const options = {
    body: text.slice(0, SHOWN), tag, data, icon: new URL(`${globalThis.PARLEY_ASSETS}/icon-192.png`, document.baseURI).href,
    // A replaced notification makes itself heard as a new one does. The types of the library lack this.
    renotify: true
  }
  await (await navigator.serviceWorker.ready).showNotification(title, options)
}
