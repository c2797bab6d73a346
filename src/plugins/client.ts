import { isIP } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import type { Client } from '../services/auth.ts'
import { readAddress } from './address.ts'

const MAX_DEVICE = 100
const IPV4_BITS = 24
const IPV6_BITS = 48

/** Returns what the authentication needs to know of the client: the key of its limits, and what is kept of it [P62]. */
export function clientOf ({ address, ip, headers }: FastifyRequest): Client {
  return { address, device: deviceOf(headers['user-agent']), network: networkOf(ip) }
}

/** The first 100 characters of a `User-Agent`, without control characters; null if nothing is left. */
export function deviceOf (userAgent = ''): string | null {
  const characters = [...userAgent.replace(/\p{Cc}/gu, '').trim()]
  return characters.slice(0, MAX_DEVICE).join('').trim() || null
}

/** The network of an address, such as `192.0.2.0/24` or `2001:db8:1::/48`; null for a text that is not an address. */
export function networkOf (ip: string): string | null {
  const address = readAddress(ip)
  if (address === null) return null
  // An IPv4 address may be written as an IPv6 one.
  const network = normalizeIP(address, IPV6_BITS)
  if (isIP(network) === 6) return `${network}/${IPV6_BITS}`
  return `${network.split('.').slice(0, 3).join('.')}.0/${IPV4_BITS}`
}
