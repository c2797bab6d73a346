/** Which origins pages may come from, besides the server's own. */
export interface AllowedOrigins {
  /** `*`: any. */
  any: boolean
  /** Is this `Origin` header one of those listed, however it is spelt? */
  has (origin: string): boolean
}

/** Reads `ALLOWED_ORIGINS`: a comma list, `*` is any. */
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

/** True where every item of the list is `*` or an origin. */
export function areOrigins (list: string): boolean {
  return itemsOf(list).every(item => item === '*' || normaliseOrigin(item) !== null)
}

/** Is the server that the request was sent to, by its `Host`, the one that the page came from? */
export function isOwnOrigin (origin: string, host: string | undefined): boolean {
  const normal = normaliseOrigin(origin)
  if (normal === null || host === undefined) return false
  return normaliseOrigin(normal.slice(0, normal.indexOf('//') + 2) + host) === normal
}

/**
 * Scheme, host and port in the one spelling that browsers use: small letters, without a port that the scheme implies. Null for
 * what is no origin, `null` and one with a path among them; a final slash is forgiven.
 */
function normaliseOrigin (text: string): string | null {
  const [, scheme = '', place] = /^([a-z][a-z0-9+.-]*):\/\/([^\s/?#@\\*]+)\/?$/i.exec(text) ?? []
  if (place === undefined || !URL.canParse(`${scheme}://${place}`)) return null
  const { origin, protocol, host } = new URL(`${scheme}://${place}`)
  // Schemes of apps, such as capacitor://localhost, have no origin of their own for `URL`.
  return origin === 'null' ? `${protocol}//${host.toLowerCase()}` : origin
}

function itemsOf (list: string): string[] {
  return list.split(',').map(item => item.trim()).filter(Boolean)
}
