import { isIP } from 'node:net'
import { FormatRegistry } from '@sinclair/typebox'
import { readSender } from './smtp-settings.ts'

/** Names of address ranges that fastify knows. */
const RANGE_NAMES = ['loopback', 'linklocal', 'uniquelocal']

FormatRegistry.Set('trust-proxy', value => /^(true|false)$/.test(value) || value.split(',').every(item => isProxy(item.trim())))
FormatRegistry.Set('account-email', value => isEmail(value.normalize('NFKC')))
FormatRegistry.Set('public-url', value => isPublicUrl(value))
FormatRegistry.Set('mail-sender', value => readSender(value) !== null)

/** Applies the rule that registrations have to meet: `Email` in schemas/user.ts. */
function isEmail (text: string): boolean {
  return text.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(text)
}

function isPublicUrl (text: string): boolean {
  return /^https?:\/\/[^\s?#@;]+$/.test(text) && URL.canParse(text)
}

/** Whether the text is an IP address, a CIDR range or the name of a range. */
function isProxy (text: string): boolean {
  if (RANGE_NAMES.includes(text)) return true
  const [, address = '', bits = '1'] = /^([^/%]+)(?:\/(\d+))?$/.exec(text) ?? []
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)]!
  return Number(bits) >= 1 && Number(bits) <= most
}
