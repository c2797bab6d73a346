import { isIPv6 } from 'node:net'
import { readCertificates } from './certificates.ts'
import { ConfigError } from './config-error.ts'
import { decodePart, readPort, readUrl, UrlMistake } from './connection-url.ts'

/** Where the mail server is, how TLS verifies it, and who the mails are from: a part of `Config['mail']`. */
export interface SmtpSettings {
  url: string
  /** An address, or a name and an address in angle brackets. */
  from: string
  /** The certificates, as PEM text, one of which must have signed that of the server. Undefined: Node's list of authorities. */
  ca?: string
  /** False: any certificate is accepted. */
  tls_verify: boolean
}

/** The parts of a URL of a mail server, decoded. */
export interface SmtpAddress {
  host: string
  port: number
  auth?: { user: string, pass: string }
  /** `implicit`: from the first byte on; `required` and `offered`: by STARTTLS, always or where the server offers it. */
  tls: 'implicit' | 'required' | 'offered' | 'never'
}

const DEFAULT_PORT = { smtp: 587, smtps: 465 }
const EXAMPLE = 'smtp://user:password@host:587'
/** Characters that no part of an address has, unless it is quoted. Nobody's address needs them, and header fields give them a meaning. */
const SPECIAL = '\\s@<>()[\\]\\\\,;:"\\p{C}'
const ADDRESS = `[^${SPECIAL}]+@[^${SPECIAL}]+`
const MAILABLE = new RegExp(`^${ADDRESS}$`, 'u')
const SENDER = new RegExp(`^(?:([^<>"\\p{C}]*)<(${ADDRESS})>|(${ADDRESS}))$`, 'u')

/** Whether a mail can be sent to this address without quoting a part of it. */
export function isMailable (address: string): boolean {
  return MAILABLE.test(address)
}

/** Splits `mail.from`; null if it is neither an address nor a name and an address in angle brackets. */
export function readSender (text: string): { name: string, address: string } | null {
  const [, name = '', bracketed, bare] = SENDER.exec(text.trim()) ?? []
  const address = bracketed ?? bare
  return address === undefined ? null : { name: name.trim(), address }
}

/**
 * Checks the settings, and replaces `ca`, which may be the path of a file, by the certificates as PEM text. The server is not asked: it may
 * be unreachable at the start.
 * @param nameOf returns what errors call a key, if it has been set.
 * @throws ConfigError for a URL with a mistake, a missing setting, certificates that cannot be read, and settings that would do nothing.
 */
export function checkSmtp (mail: Partial<SmtpSettings>, nameOf: (key: keyof SmtpSettings) => string | undefined): void {
  const { url, from, ca, tls_verify: verify } = mail
  const [urlName, caName] = [nameOf('url') ?? 'SMTP_URL', nameOf('ca') ?? 'SMTP_CA']
  if (url === undefined) {
    const useless = (['from', 'ca'] as const).find(key => mail[key] !== undefined)
    if (useless !== undefined) throw new ConfigError(`SMTP_URL is missing: ${nameOf(useless)} does nothing without it`)
    if (verify === false) throw new ConfigError(`SMTP_URL is missing: ${nameOf('tls_verify')}=false does nothing without it`)
    return
  }
  const { tls } = readSmtpUrl(url, urlName)
  if (from === undefined) throw new ConfigError(`MAIL_FROM is missing: ${urlName} needs it, such as Parley <parley@example.org>`)
  const unverified = `${nameOf('tls_verify')}=false`
  if (tls === 'never' && (ca !== undefined || verify === false)) {
    throw new ConfigError(`${ca !== undefined ? caName : unverified} does nothing with tls=never in ${urlName}`)
  }
  if (ca === undefined) return
  if (verify === false) throw new ConfigError(`${caName} does nothing with ${unverified}: leave one of them out`)
  mail.ca = readCertificates(ca, caName)
}

/**
 * Reads a URL of a mail server.
 * @param name of the setting, for errors.
 * @throws ConfigError that names the mistake in one line and quotes nothing of the URL.
 */
export function readSmtpUrl (url: string, name: string): SmtpAddress {
  return readUrl(url, name, read)
}

function read (url: string): SmtpAddress {
  const [, scheme, rest = ''] = /^(smtps?):\/\/(.*)$/.exec(url) ?? []
  if (scheme === undefined) throw new UrlMistake(`it must be an smtp:// or smtps:// URL, such as ${EXAMPLE}`)
  // Everything up to the last @ belongs to user and password.
  const at = rest.lastIndexOf('@')
  const [, authority = '', path = '', query = '', hash] = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(rest.slice(at + 1)) ?? []
  if (hash !== undefined) throw new UrlMistake('it contains a bare #: write it as %23')
  if (path !== '' && path !== '/') throw new UrlMistake(`nothing may follow the host but ?tls=; a complete URL is ${EXAMPLE}`)
  const auth = readCredentials(rest.slice(0, Math.max(at, 0)))
  return {
    ...readAuthority(authority, DEFAULT_PORT[scheme as 'smtp' | 'smtps']),
    ...auth && { auth },
    tls: readTls(query, scheme, auth !== undefined)
  }
}

function readCredentials (text: string): SmtpAddress['auth'] {
  if (text === '') return undefined
  const colon = text.indexOf(':')
  const [user, pass] = [decode(text.slice(0, Math.max(colon, 0)), 'the user name'), decode(text.slice(colon + 1), 'the password')]
  if (colon < 0 || user === '' || pass === '') throw new UrlMistake(`user and password must both stand before the @, as in ${EXAMPLE}`)
  return { user, pass }
}

function decode (part: string, what: string): string {
  const [bare] = /[/?#@]/.exec(part) ?? []
  if (bare) throw new UrlMistake(`${what} contains a bare ${bare}: write it as ${encodeURIComponent(bare)}`)
  return decodePart(part, what)
}

function readAuthority (authority: string, port: number): Pick<SmtpAddress, 'host' | 'port'> {
  const [, bracketed, name = '', given = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(authority) ?? []
  if (bracketed === undefined && given.includes(':')) throw new UrlMistake('an IPv6 address needs brackets, as in smtp://[::1]:587')
  const host = bracketed ?? name
  if (host === '') throw new UrlMistake(`the host is missing; a complete URL is ${EXAMPLE}`)
  if (bracketed === undefined ? !/^[\w.-]+$/.test(host) : !isIPv6(host)) {
    throw new UrlMistake('the host must be a name, an IPv4 address, or an IPv6 address in brackets')
  }
  return { host, port: given === '' ? port : readPort(given) }
}

/** A password is not sent unencrypted unless the URL says so. */
function readTls (query: string, scheme: string, hasPassword: boolean): SmtpAddress['tls'] {
  const { tls, ...others } = Object.fromEntries(new URLSearchParams(query))
  if (Object.keys(others).length > 0) {
    throw new UrlMistake('only tls may follow the ?; certificates are set with SMTP_CA and SMTP_TLS_VERIFY')
  }
  if (tls !== undefined && scheme === 'smtps') throw new UrlMistake('tls has no meaning in an smtps:// URL, which is always encrypted')
  if (scheme === 'smtps') return 'implicit'
  if (tls === undefined) return hasPassword ? 'required' : 'offered'
  if (tls !== 'required' && tls !== 'never') throw new UrlMistake('tls must be required or never')
  return tls
}
