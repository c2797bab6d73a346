import { isIP } from 'node:net'
import { FormatRegistry, Type, type Static } from '@sinclair/typebox'
import { readSender } from './smtp-settings.ts'

declare module '@sinclair/typebox' {
  interface SchemaOptions {
    /** Environment variables for the key, besides SECTION_KEY. The first one that is set wins. */
    env?: string[]
    /** The value is shown masked. */
    secret?: boolean
  }
}

const count = (value: number, options: object = {}) => Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: value, ...options })
const seconds = (value: number, options: object = {}) =>
  Type.Integer({ minimum: 1, maximum: 31_536_000, default: value, description: 'seconds', ...options })
const flag = (value: boolean, options: object = {}) => Type.Boolean({ default: value, ...options })
const text = (value: string, options: object = {}) => Type.String({ minLength: 1, default: value, ...options })
const optional = (options: object = {}) => Type.Optional(Type.String({ minLength: 1, ...options }))

/** Names of address ranges that fastify knows. */
const RANGE_NAMES = ['loopback', 'linklocal', 'uniquelocal']

FormatRegistry.Set('trust-proxy', value => /^(true|false)$/.test(value) || value.split(',').every(item => isProxy(item.trim())))
FormatRegistry.Set('account-email', value => isEmail(value.normalize('NFKC')))
FormatRegistry.Set('public-url', value => isPublicUrl(value))
FormatRegistry.Set('mail-sender', value => readSender(value) !== null)

/** A frame may have 16 levels [P4], of which the frame itself is one. */
const MAX_DATA_DEPTH = 15

/** Every key with its default, its bounds and its environment variables. */
export const ConfigSchema = Type.Object({
  server: Type.Object({
    host: text('*', { description: 'an address or host name, or * for all addresses, IPv4 and IPv6', env: ['HOST', 'WEBSOCKET_HOST'] }),
    port: Type.Integer({ minimum: 0, maximum: 65535, default: 8080, env: ['PORT', 'WEBSOCKET_PORT'] }),
    max_connections: count(10_000, { minimum: 1, env: ['WEBSOCKET_MAX_CONNECTIONS'] }),
    max_payload: count(65_536, { minimum: 1024, maximum: 16_777_216, description: 'bytes' }),
    allowed_origins: Type.Optional(Type.String({
      description: 'a comma list of origins such as https://chat.example.org or https://*.example.org, or * for any',
      env: ['ALLOWED_ORIGINS']
    })),
    trust_proxy: Type.String({
      format: 'trust-proxy',
      default: 'false',
      description: 'true, false, or a comma list of IP addresses, CIDR ranges, loopback, linklocal, uniquelocal',
      env: ['TRUST_PROXY']
    }),
    drain_timeout: seconds(10),
    public_url: optional({
      format: 'public-url',
      description: 'the http:// or https:// URL of the pages that people use, without ? and #',
      env: ['PUBLIC_URL']
    }),
    keep_alive_timeout: seconds(72, { maximum: 86_400, env: ['KEEP_ALIVE_TIMEOUT'] }),
    workers: count(1, { minimum: 1, maximum: 256, description: 'processes', env: ['WEB_CONCURRENCY'] })
  }),
  authentication: Type.Object({
    enabled: flag(true),
    guests: flag(false),
    registration: Type.Unsafe<'open' | 'invite' | 'closed'>(Type.String({
      pattern: '^(open|invite|closed)$', default: 'open', description: 'open, invite or closed'
    })),
    require_verified_email: flag(false),
    token_expiry: seconds(3600),
    refresh_token_expiry: seconds(86_400),
    refresh_window: seconds(60, { minimum: 0, maximum: 86_400 }),
    timeout: seconds(10),
    max_logins: count(100, { description: 'of one account; 0 is no limit' }),
    jwt_secret: optional({ minLength: 32, secret: true, env: ['JWT_SECRET'] }),
    admin_email: optional({ format: 'account-email', description: 'an email address', env: ['ADMIN_EMAIL'] }),
    admin_password: optional({ minLength: 8, secret: true, env: ['ADMIN_PASSWORD'] })
  }),
  channels: Type.Object({
    // Names `direct-…` are reserved [P47].
    default_room: Type.String({
      pattern: '^(?!direct-)[a-z0-9][a-z0-9_-]{0,63}$', default: 'general', description: 'a channel name that does not begin with direct-'
    }),
    max_channels_per_user: count(50),
    max_users_per_channel: count(1000),
    max_created_per_user: count(100),
    create_on_join: flag(true),
    max_message_length: count(4000, { minimum: 1, maximum: 1_000_000, description: 'Unicode code points' }),
    max_data_bytes: count(4096, { maximum: 1_000_000, description: 'bytes of JSON; 0 allows no data' }),
    max_data_depth: count(8, { maximum: MAX_DATA_DEPTH, description: 'levels of lists and objects' }),
    resume_limit: count(1000),
    max_reactions: count(20, { maximum: 100, description: 'different ones on a message; 0 allows none' }),
    max_topic_length: count(250, { maximum: 4000, description: 'Unicode code points' }),
    max_signal_data: count(1024, { maximum: 16_384, description: 'bytes of JSON' }),
    read_receipts_limit: count(50, { maximum: 1000, description: 'members; 0 shows nobody what others have read' }),
    max_slow_mode: count(21_600, { maximum: 86_400, description: 'seconds' }),
    max_report_reason: count(500, { maximum: 4000, description: 'Unicode code points' })
  }),
  users: Type.Object({
    directory: flag(true, { description: 'users may find each other by name' })
  }),
  performance: Type.Object({
    heartbeat_interval: seconds(30),
    connection_timeout: seconds(300),
    pong_timeout: seconds(10),
    message_queue_size: count(1000, { minimum: 1 }),
    max_buffered: count(1_048_576, { minimum: 65_536, description: 'bytes' }),
    max_buffered_total: count(67_108_864, { minimum: 1_048_576, description: 'bytes' }),
    max_inbox: count(67_108_864, { minimum: 1_048_576, description: 'bytes, of all connections of a process together' })
  }),
  redis: Type.Object({
    url: optional({ secret: true, description: 'a redis:// or rediss:// URL' }),
    ca: optional({ description: 'PEM text or the path of a PEM file' }),
    tls_verify: flag(true),
    pool_size: count(10, { minimum: 1, maximum: 100 }),
    pool_timeout: seconds(5),
    prefix: text('parley:')
  }),
  database: Type.Object({
    url: optional({ secret: true, description: 'a postgresql:// URL' }),
    direct_url: optional({ secret: true, description: 'a postgresql:// URL without a pooler, for migrations', env: ['DIRECT_URL'] }),
    ca: optional({ description: 'PEM text, or the path of a PEM file' }),
    pool_size: count(10, { minimum: 1, maximum: 1000 }),
    pool_timeout: seconds(5),
    data_dir: text('./data', { env: ['PARLEY_DATA_DIR'] })
  }),
  mail: Type.Object({
    url: optional({ secret: true, description: 'an smtp:// or smtps:// URL', env: ['SMTP_URL'] }),
    from: optional({
      format: 'mail-sender', maxLength: 320, description: 'an email address, or a name and an address: Parley <parley@example.org>'
    }),
    ca: optional({ description: 'PEM text or the path of a PEM file', env: ['SMTP_CA'] }),
    tls_verify: flag(true, { env: ['SMTP_TLS_VERIFY'] }),
    queue_size: count(1000, { minimum: 1, maximum: 100_000, description: 'mails that wait for the mail server' })
  }),
  metrics: Type.Object({
    port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535 })),
    token: optional({ minLength: 16, secret: true })
  }),
  // For rates per second, ten seconds' worth may arrive at once after a pause.
  limits: Type.Object({
    enabled: flag(true),
    connection_frames: count(200, { minimum: 1, description: 'a second' }),
    connection_bytes: count(1_048_576, { minimum: 1024, description: 'bytes a second' }),
    connection_joins: count(20, { minimum: 1, description: 'a second' }),
    connection_commands: count(20, { minimum: 1, description: 'a second' }),
    connection_signals: count(10, { minimum: 1, description: 'a second' }),
    unauthenticated_frames: count(10, { minimum: 1, description: 'a second, of one connection before it is authenticated' }),
    unauthenticated_frame_bytes: count(8192, { minimum: 1024, description: 'bytes, of one frame before authentication' }),
    user_frames: count(400, { minimum: 1, description: 'a second' }),
    user_bytes: count(2_097_152, { minimum: 1024, description: 'bytes a second' }),
    user_joins: count(40, { minimum: 1, description: 'a second' }),
    user_commands: count(40, { minimum: 1, description: 'a second' }),
    user_connections: count(100, { minimum: 1 }),
    user_channels_created: count(60, { minimum: 1, maximum: 1_000_000, description: 'a minute' }),
    user_pending_invitations: count(100, { minimum: 1, maximum: 1_000_000, description: 'to one user by all others' }),
    user_exports: count(5, { minimum: 1, maximum: 1_000_000, description: 'an hour' }),
    search_requests: count(60, { minimum: 1, maximum: 1_000_000, description: 'a minute, of one user' }),
    user_invitations: count(40, { minimum: 1, maximum: 1_000_000, description: 'a minute, to one user by all others' }),
    user_reports: count(20, { minimum: 1, maximum: 1000, description: 'a minute' }),
    user_blocks: count(1000, { minimum: 1, maximum: 1_000_000, description: 'users that one user may block' }),
    directory_requests: count(60, { minimum: 1, maximum: 1_000_000, description: 'a minute and user' }),
    address_frames: count(10_000, { minimum: 1, description: 'a second' }),
    address_bytes: count(33_554_432, { minimum: 1024, description: 'bytes a second' }),
    address_unauthenticated_frames: count(1000, { minimum: 1, description: 'a second, of connections before they are authenticated' }),
    address_joins: count(2000, { minimum: 1, description: 'a second' }),
    address_commands: count(1000, { minimum: 1, description: 'a second' }),
    address_upgrades: count(500, { minimum: 1, description: 'a second' }),
    address_connections: count(5000, { minimum: 1 }),
    address_guests: count(600, { minimum: 1, description: 'a minute, new guests of all instances together' }),
    address_mails: count(60, { minimum: 1, description: 'a minute, asked for at all instances together' }),
    account_mails: count(5, { minimum: 1, description: 'an hour, to one account' }),
    rest_requests: count(6000, { minimum: 1, description: 'a minute, by user or, without one, by address' }),
    event_loop_delay: count(500, { description: 'milliseconds; 0 is no limit' }),
    heap_percent: count(90, { minimum: 1, maximum: 100, description: 'of what Node may use' })
  }),
  log: Type.Object({
    level: Type.String({
      pattern: '^(fatal|error|warn|info|debug|trace|silent)$',
      default: 'info',
      description: 'fatal, error, warn, info, debug, trace or silent'
    })
  })
})
export type Config = Static<typeof ConfigSchema>

/** Applies the rule that registrations have to meet: `Email` in schemas/user.ts. */
function isEmail (text: string): boolean {
  return text.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(text)
}

function isPublicUrl (text: string): boolean {
  return /^https?:\/\/[^\s?#@]+$/.test(text) && URL.canParse(text)
}

/** Whether the text is an IP address, a CIDR range or the name of a range. */
function isProxy (text: string): boolean {
  if (RANGE_NAMES.includes(text)) return true
  const [, address = '', bits = '1'] = /^([^/%]+)(?:\/(\d+))?$/.exec(text) ?? []
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)]!
  return Number(bits) >= 1 && Number(bits) <= most
}
