/** Origins that pages may come from, besides the server's own. */
export interface AllowedOrigins {
  /** True if any origin is allowed, because the list contains `*`. */
  any: boolean
  /** Whether an `Origin` header is allowed, however it is spelled. */
  has (origin: string): boolean
}

/** An item `https://*.example.org:8443` of the list: the origins that begin with `https://` and end with `.example.org:8443`. */
interface Subdomains { start: string, end: string }

const ANY = '*'
const EXAMPLE = 'write it as in https://chat.example.org'
/** Stands for the `*` of an item while the item is read as an origin. */
const ANY_LABEL = 'any'
/** The host of an origin, as browsers send it: labels or an IPv6 address, without the empty label of a final dot. */
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d+)?$/

/**
 * Reads `ALLOWED_ORIGINS`, a comma list of origins. `*` stands for any origin, and `https://*.example.org` for the subdomains of a host, of
 * any depth but without the host itself. The list has been checked with `faultOfOrigins`.
 */
export function createAllowedOrigins (list: string = ''): AllowedOrigins {
  const items = itemsOf(list)
  const any = items.includes(ANY)
  const exact = new Set(items.map(item => normaliseOrigin(item)))
  const subdomains = items.map(item => readSubdomains(item)).filter(found => found !== null)
  return {
    any,
    has (origin) {
      const normal = normaliseOrigin(origin)
      if (any || normal === null) return any
      return exact.has(normal) || subdomains.some(({ start, end }) =>
        normal.startsWith(start) && normal.endsWith(end) && normal.length > start.length + end.length)
    }
  }
}

/** Returns what is wrong with the first item that can match no page, and what to write instead, in one line. Null if all are right. */
export function faultOfOrigins (list: string): string | null {
  for (const item of itemsOf(list)) {
    const fault = faultOf(item)
    if (fault !== null) return `${JSON.stringify(item)} ${fault}`
  }
  return null
}

/** Whether the page comes from the server that the request's `Host` header names. */
export function isOwnOrigin (origin: string, host: string | undefined): boolean {
  const normal = normaliseOrigin(origin)
  if (normal === null || host === undefined) return false
  return normaliseOrigin(normal.slice(0, normal.indexOf('//') + 2) + host) === normal
}

function faultOf (item: string): string | null {
  if (item === ANY) return null
  if (/["'`“”„‘’]/.test(item)) return 'contains quotes: write the list without them, as in https://a.example,https://b.example'
  const parts = item.split(/[\s;|]+/).filter(Boolean)
  if (parts.length !== 1 || parts[0] !== item) return `is not one origin: separate origins with commas, as in ${parts.join(',')}`
  if (/^null$/i.test(item)) return 'cannot be listed: it is the Origin of files and sandboxed frames, which only * allows'
  const [, scheme, place = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(item) ?? []
  if (scheme === undefined) {
    const [host] = item.replace(/^(?:[^/\\]*:[/\\]+|https?[:/\\]+|[/\\]+)/i, '').split(/[/?#\\]/)
    return `has no scheme: write https://${host} or http://${host}`
  }
  const [, user, host = '', rest = ''] = /^([^/?#\\]*@)?([^/?#\\]*)(.*)$/.exec(place)!
  if (host === '') return `has no host: ${EXAMPLE}`
  if (/^wss?$/i.test(scheme)) return `is not the Origin of a page: write ${/^wss$/i.test(scheme) ? 'https' : 'http'}://${host}`
  if (user !== undefined) return `contains a user name: write ${scheme}://${host}`
  if (rest !== '' && rest !== '/') return `has a path: write ${scheme}://${host}`
  if (!host.includes('*')) return isOrigin(item) ? null : `has a host or port that no page can have: ${EXAMPLE}`
  return readSubdomains(item) === null ? 'has a * that is not the whole first part of a host: write it as in https://*.example.org' : null
}

function isOrigin (text: string): boolean {
  const normal = normaliseOrigin(text)
  return normal !== null && HOST.test(normal.slice(normal.indexOf('//') + 2))
}

/** Reads an item with a `*` as the first part of its host. Null for any other item. */
function readSubdomains (item: string): Subdomains | null {
  if (!/^[^/*]+:\/\/\*\.[^*]+$/.test(item)) return null
  const example = item.replace('*', ANY_LABEL)
  if (!isOrigin(example)) return null
  const [start = '', end = ''] = normaliseOrigin(example)!.split(`//${ANY_LABEL}.`)
  return { start: `${start}//`, end: `.${end}` }
}

/**
 * Returns scheme, host and port as browsers spell them: in lower case, with international host names in ASCII, and without the default
 * port of the scheme. Null if the text is not an origin, such as `null` or a URL with a path. A final slash is allowed.
 */
function normaliseOrigin (text: string): string | null {
  const [, scheme = '', place] = /^([a-z][a-z0-9+.-]*):\/\/([^\s/?#@\\*]+)\/?$/i.exec(text) ?? []
  if (place === undefined || !URL.canParse(`${scheme}://${place}`)) return null
  const { origin, protocol, host } = new URL(`${scheme}://${place}`)
  // `URL` knows no origin for the schemes of apps, such as capacitor://localhost.
  return origin === 'null' ? `${protocol}//${host.toLowerCase()}` : origin
}

function itemsOf (list: string): string[] {
  return list.split(',').map(item => item.trim()).filter(Boolean)
}
