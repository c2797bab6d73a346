import { parley } from '../client.ts'
import { t } from '../text.ts'

/** More unread messages than this are not counted. */
const MOST = 99

/** The number on the app's icon, once it is known. The icon keeps its number when the app is closed. */
let badge: number | undefined

/** Shows the number of unread messages in the page's title and on the app's icon. */
export function startUnreadTitle (): void {
  parley.inbox.subscribe(() => queueMicrotask(show))
  show()
}

/** Runs when all have heard of a message: whoever sees it has marked it as read by then, so that it is not counted for a moment. */
function show (): void {
  const { state, channels, directs } = parley.inbox.getSnapshot()
  const unread = [...channels, ...directs].reduce((sum, { unread_count: count }) => sum + count, 0)
  const title = unread === 0 ? t.common.app : `(${unread > MOST ? `${MOST}+` : unread}) ${t.common.app}`
  if (document.title !== title) document.title = title
  const isKnown = state === 'live' || parley.account.getSnapshot() === null
  if (isKnown && unread !== badge) showBadge(unread)
}

function showBadge (unread: number): void {
  badge = unread
  navigator.setAppBadge?.(unread).catch(() => {
    // The app is not installed, so there is no icon.
  })
}
