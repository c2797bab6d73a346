/** Origins that pages may come from, besides the server's own. */
export interface AllowedOrigins {
  /** True if any origin is allowed, because the list contains `*`. */
  any: boolean
  /** Whether an `Origin` header is allowed, however it is spelled. */
  has (origin: string): boolean
}

/** Reads `ALLOWED_ORIGINS`, a comma list in which `*` stands for any origin. */
export function createAllowedOrigins (list: string = ''): AllowedOrigins {
  const items = itemsOf(list)
  const listed = new Set(items.map(item => normaliseOrigin(item)))
  const any = items.includes('*')
  return {
    any,
    has (origin) {
      const normal = normaliseOrigin(origin)
      return any || (normal !== null && listed.has(normal))
    }
  }
}

/** Whether every item of the list is `*` or an origin. */
export function areOrigins (list: string): boolean {
  return itemsOf(list).every(item => item === '*' || normaliseOrigin(item) !== null)
}

/** Whether the page comes from the server that the request's `Host` header names. */
export function isOwnOrigin (origin: string, host: string | undefined): boolean {
  const normal = normaliseOrigin(origin)
  if (normal === null || host === undefined) return false
  return normaliseOrigin(normal.slice(0, normal.indexOf('//') + 2) + host) === normal
}

/**
 * Returns scheme, host and port as browsers spell them: in lower case, without the default port of the scheme. Null if the text is not an
 * origin, such as `null` or a URL with a path. A final slash is allowed.
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
