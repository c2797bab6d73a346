import type { Config } from './config-schema.ts'
import { ConfigError } from './config-error.ts'
import { readDatabaseUrl } from './database-url.ts'
import { largestReply, largestRequest } from './frame-size.ts'
import { faultOfOrigins } from './origins.ts'
import { checkRedis } from './redis-settings.ts'
import { checkSmtp } from './smtp-settings.ts'

/** Returns what errors call a key such as `redis.url`: the variable or the file that has set it. Undefined if nothing has. */
type NameOf = (key: string) => string | undefined

/** `performance.max_inbox` must hold this many frames of the largest size. */
const LARGEST_FRAMES = 4

/**
 * Checks what the schema of single keys cannot: origins, connection URLs and certificates, and values that have to fit together.
 * @throws ConfigError for the first mistake.
 */
export function checkTogether (config: Config, nameOf: NameOf): void {
  checkOrigins(config, nameOf)
  checkAdmin(config)
  checkDatabase(config, nameOf)
  checkSizes(config)
  checkInbox(config)
  checkRedis(config.redis, key => nameOf(`redis.${key}`))
  checkSmtp(config.mail, key => nameOf(`mail.${key}`))
  checkVerification(config, nameOf)
}

function checkOrigins ({ server: { allowed_origins: origins = '' } }: Config, nameOf: NameOf): void {
  const fault = faultOfOrigins(origins)
  if (fault !== null) throw new ConfigError(`${nameOf('server.allowed_origins')}: ${fault}`)
}

function checkAdmin ({ authentication: { admin_email: email, admin_password: password } }: Config): void {
  if ((email === undefined) === (password === undefined)) return
  const [missing, given] = email === undefined ? ['EMAIL', 'PASSWORD'] : ['PASSWORD', 'EMAIL']
  throw new ConfigError(`ADMIN_${missing} is missing: ADMIN_${given} does nothing without it`)
}

function checkVerification ({ authentication, mail }: Config, nameOf: NameOf): void {
  if (!authentication.require_verified_email || mail.url !== undefined) return
  const key = nameOf('authentication.require_verified_email')
  throw new ConfigError(`SMTP_URL is missing: with ${key}, nobody could log in without it`)
}

/** Finds mistakes in the connection URLs, which would otherwise only show when the database is opened. */
function checkDatabase ({ database: { url, direct_url: directUrl, ca } }: Config, nameOf: NameOf): void {
  if (url === undefined) {
    if (ca !== undefined) throw new ConfigError(`DATABASE_URL is missing: ${nameOf('database.ca')} does nothing without it`)
    return
  }
  readDatabaseUrl(url, ca, nameOf('database.url'))
  if (directUrl !== undefined) readDatabaseUrl(directUrl, ca, nameOf('database.direct_url'))
}

/**
 * Every message that may be stored must fit into the frames that carry it, whatever its characters. A message that does not fit would end
 * the connections of its receivers [P59].
 */
function checkSizes ({ server, channels, performance }: Config): void {
  const { max_buffered: maxBuffered, max_buffered_total: total } = performance
  if (total < maxBuffered) {
    throw new ConfigError(`performance.max_buffered_total must be at least performance.max_buffered (${maxBuffered}), not ${total}`)
  }
  const { max_message_length: length, max_data_bytes: data } = channels
  const buffered = 2 * largestReply(length, data)
  const payload = largestRequest(length)
  const wrong = [
    ...maxBuffered < buffered ? [`performance.max_buffered to at least ${buffered} (now ${maxBuffered})`] : [],
    ...server.max_payload < payload ? [`server.max_payload to at least ${payload} (now ${server.max_payload})`] : []
  ]
  if (wrong.length === 0) return
  throw new ConfigError(
    `channels.max_message_length ${length} and max_data_bytes ${data} allow messages that do not fit: set ${wrong.join(' and ')}`)
}

/** A frame of the largest size must find room while others wait. */
function checkInbox ({ performance: { max_inbox: inbox }, server: { max_payload: payload } }: Config): void {
  const least = LARGEST_FRAMES * payload
  if (inbox >= least) return
  throw new ConfigError(`performance.max_inbox must be at least ${LARGEST_FRAMES} times server.max_payload, ${least}, not ${inbox}`)
}
