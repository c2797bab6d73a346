import type { IncomingMessage } from 'node:http'
import { isIP, isIPv4 } from 'node:net'
import proxyAddr from '@fastify/proxy-addr'
import { normalizeIP } from '@fastify/rate-limit'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** The text that is the client's address: what `request.ip` will be once fastify has the request. */
    ipOf (raw: IncomingMessage): string | undefined
  }
  interface FastifyRequest {
    /**
     * The key of all limits by client address [P56]: an IPv4 address, or an IPv6 network of 64 bits, which one household or host has. If
     * a trusted proxy writes text that is not an address, the text is the key, so that such clients do not share one limit.
     */
    readonly address: string
  }
}

const MAX_TEXT = 64
/** Prefix of keys that are not readable addresses. */
const UNREAD = 'text '

/** Adds `request.address`, the key of all limits by client address. `trustedProxies`: the text of `server.trust_proxy`. */
export default fp(async (app, { trustedProxies }: { trustedProxies: string }) => {
  const trust = trustProxy(trustedProxies)
  app.decorate('ipOf', raw => {
    if (trust === false) return raw.socket.remoteAddress
    return proxyAddr(raw, trust === true ? () => true : trust)
  })
  let isTold = false
  app.decorateRequest('address', {
    getter () {
      const address = addressOf(this)
      if (!isTold && address.startsWith(UNREAD) && address !== UNREAD) {
        isTold = true
        const shown = address.slice(UNREAD.length)
        this.log.warn({ address: shown }, 'the proxy writes no address into X-Forwarded-For: limits by address count this text instead')
      }
      return address
    }
  })
}, { name: 'address' })

/** Computes `request.address`, also for a socket and for a request whose URL fastify could not read, which has no decorators. */
export function addressOf ({ ip }: { ip: string | undefined }): string {
  // A closed connection has no address any more.
  const text = ip ?? ''
  const address = readAddress(text)
  if (address === null) return `${UNREAD}${text.slice(0, MAX_TEXT)}`
  return isIPv4(address) ? address : normalizeIP(address)
}

/** Builds fastify's option `trustProxy` from the text of `server.trust_proxy`. */
export function trustProxy (value: string): boolean | ((text: string, hop: number) => boolean) {
  if (value === 'true' || value === 'false') return value === 'true'
  const isProxy = proxyAddr.compile(value.split(',').map(item => item.trim()))
  return (text = '', hop) => {
    const address = readAddress(text)
    return address !== null && isProxy(address, hop)
  }
}

/** Returns the address of a client for the log: as it is usually written, or the beginning of a text that is not an address. */
export function shownAddress ({ ip }: { ip: string }): string {
  return readAddress(ip) ?? ip.slice(0, MAX_TEXT)
}

/** Extracts the address that a proxy wrote: alone, with a port (`192.0.2.1:4711`), in brackets (`[2001:db8::1]:4711`) or in quotes. */
export function readAddress (text: string): string | null {
  if (isIPv4(text)) return text
  const unquoted = text.replace(/^"(.*)"$/, '$1')
  const [, bracketed, beforePort] = /^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(unquoted) ?? []
  // An IPv6 address may name its network interface: `fe80::1%eth0`. On a socket that listens on `::`, IPv4 clients are `::ffff:192.0.2.1`.
  const address = (bracketed ?? beforePort ?? unquoted).replace(/%[\w.-]+$/, '').replace(/^::ffff:(?=[\d.]+$)/i, '')
  return isIP(address) === 0 ? null : address
}
