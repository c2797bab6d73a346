import { signal } from '@preact/signals'

/**
 * A view of the app, as its address names it. `message` is the id of a message that the channel opens at. A search is in one `channel`, or
 * in all.
 */
export type Route =
  | { view: 'home' }
  | { view: 'channel', name: string, message?: string }
  | { view: 'direct', user: string, message?: string }
  | { view: 'browse' | 'settings' | 'login' | 'register' | 'forgot' }
  | { view: 'search', query: string, channel?: string }
  | { view: 'reset' | 'verify', code: string }
  | { view: 'admin', section: string }

/** The path of the app's root, with the prefix under which a proxy serves it. It ends with a slash. */
const base = new URL('.', document.baseURI).pathname

/** The view that is shown. */
export const route = signal<Route>(parse())
addEventListener('popstate', () => { route.value = parse() })

/** Returns the address of a view. */
export function addressOf (to: Route): string {
  return base + pathOf(to)
}

/** Shows a view. `replace`: going back does not lead to the view before. */
export function go (to: Route, { replace = false } = {}): void {
  const address = addressOf(to)
  if (address !== location.pathname + location.search + location.hash) history[replace ? 'replaceState' : 'pushState'](null, '', address)
  route.value = to
}

function pathOf (to: Route): string {
  const message = 'message' in to && to.message !== undefined ? `/m/${encodeURIComponent(to.message)}` : ''
  switch (to.view) {
    case 'home': return ''
    case 'channel': return `c/${encodeURIComponent(to.name)}${message}`
    case 'direct': return `d/${encodeURIComponent(to.user)}${message}`
    case 'search': {
      const fields = new URLSearchParams({ ...to.query !== '' && { q: to.query }, ...to.channel !== undefined && { in: to.channel } })
      return fields.size === 0 ? 'search' : `search?${fields}`
    }
    case 'reset':
    case 'verify': return `${to.view}#code=${encodeURIComponent(to.code)}`
    case 'admin': return to.section === '' ? 'admin' : `admin/${to.section}`
    default: return to.view
  }
}

/** Returns the view of the current address. An address that names none shows the start. */
function parse (): Route {
  const [view = '', ...rest] = location.pathname.slice(base.length).split('/').map(decode)
  const message = rest[1] === 'm' && rest[2] ? { message: rest[2] } : {}
  switch (view) {
    case 'c': return rest[0] ? { view: 'channel', name: rest[0], ...message } : { view: 'home' }
    case 'd': return rest[0] ? { view: 'direct', user: rest[0], ...message } : { view: 'home' }
    case 'search': {
      const fields = new URLSearchParams(location.search)
      const channel = fields.get('in')
      return { view, query: fields.get('q') ?? '', ...channel !== null && { channel } }
    }
    case 'reset':
    case 'verify': return { view, code: new URLSearchParams(location.hash.slice(1)).get('code') ?? '' }
    case 'admin': return { view, section: rest.join('/') }
    case 'browse':
    case 'settings':
    case 'login':
    case 'register':
    case 'forgot': return { view }
    default: return { view: 'home' }
  }
}

function decode (part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}
