import { Type, type Static } from '@sinclair/typebox'
import './config-formats.ts'

declare module '@sinclair/typebox' {
  interface SchemaOptions {
    /** Environment variables for the key, besides SECTION_KEY. The first one that is set wins. */
    env?: string[]
    /** The value is shown masked. */
    secret?: boolean
    /** A sentence for docs/configuration.md that explains the key. The description says which values are allowed, or in which unit. */
    meaning?: string
  }
}

const count = (value: number, options: object = {}) => Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: value, ...options })
const seconds = (value: number, options: object = {}) =>
  Type.Integer({ minimum: 1, maximum: 31_536_000, default: value, description: 'seconds', ...options })
const flag = (value: boolean, options: object = {}) => Type.Boolean({ default: value, ...options })
const text = (value: string, options: object = {}) => Type.String({ minLength: 1, default: value, ...options })
const optional = (options: object = {}) => Type.Optional(Type.String({ minLength: 1, ...options }))

/** A frame may have 16 levels [P4], of which the frame itself is one. */
const MAX_DATA_DEPTH = 15

/** Every key with its meaning, default, bounds and environment variables. `npm run generate` makes docs/configuration.md of it. */
export const ConfigSchema = Type.Object({
  server: Type.Object({
    host: text('*', {
      meaning: 'The address on which the server listens.',
      description: 'an address or host name, or * for all addresses, IPv4 and IPv6', env: ['HOST', 'WEBSOCKET_HOST']
    }),
    port: Type.Integer({
      meaning: 'The port on which the server listens; 0 takes any free port.',
      minimum: 0, maximum: 65535, default: 8080, env: ['PORT', 'WEBSOCKET_PORT']
    }),
    max_connections: count(10_000, {
      meaning: 'WebSocket connections that each worker has open at most.', minimum: 1, env: ['WEBSOCKET_MAX_CONNECTIONS']
    }),
    max_payload: count(65_536, {
      meaning: 'The size of the largest frame that a client may send.', minimum: 1024, maximum: 16_777_216, description: 'bytes'
    }),
    allowed_origins: Type.Optional(Type.String({
      meaning: 'Origins of the web pages that may use the server, besides its own.',
      description: 'a comma list of origins such as https://chat.example.org or https://*.example.org, or * for any',
      env: ['ALLOWED_ORIGINS']
    })),
    trust_proxy: Type.String({
      meaning: 'The proxies whose `X-Forwarded-For` names the address of the client.',
      format: 'trust-proxy', default: 'false', env: ['TRUST_PROXY'],
      description: 'true, false, or a comma list of IP addresses, CIDR ranges, loopback, linklocal, uniquelocal'
    }),
    drain_timeout: seconds(10, { meaning: 'How long a server that is asked to end may take for it.' }),
    public_url: optional({
      meaning: 'Where people reach your pages: mails then have links to `/reset` and `/verify` there, and cookies of logins have its path.',
      format: 'public-url', description: 'the http:// or https:// URL of the pages that people use, without ?, # and ;', env: ['PUBLIC_URL']
    }),
    keep_alive_timeout: seconds(72, {
      meaning: 'How long an idle HTTP connection stays open.', maximum: 86_400, env: ['KEEP_ALIVE_TIMEOUT']
    }),
    workers: count(1, {
      meaning: 'Workers that share the port; more than one requires `database.url` and `redis.url`.',
      minimum: 1, maximum: 256, description: 'processes', env: ['WEB_CONCURRENCY']
    })
  }),
  authentication: Type.Object({
    enabled: flag(true, { meaning: 'Whether users have to log in; without it, everyone is a guest.' }),
    guests: flag(false, { meaning: 'Whether guests, who have no token, are admitted beside users.' }),
    registration: Type.Unsafe<'open' | 'invite' | 'closed'>(Type.String({
      meaning: 'Who may register: everyone, people who have an invitation code, or nobody.',
      pattern: '^(open|invite|closed)$', default: 'open', description: 'open, invite or closed'
    })),
    require_verified_email: flag(false, { meaning: 'Whether people log in only after they have confirmed their address by a mail.' }),
    token_expiry: seconds(3600, { meaning: 'How long an access token is valid.' }),
    refresh_token_expiry: seconds(86_400, { meaning: 'How long a refresh token is valid if nobody uses it.' }),
    refresh_window: seconds(60, {
      meaning: 'How long a refresh token that was used still gives the same successor.', minimum: 0, maximum: 86_400
    }),
    timeout: seconds(10, { meaning: 'How long a new connection may take to authenticate.' }),
    max_logins: count(100, {
      meaning: 'Logins of an account at a time; a further one ends the one that was unused for the longest time.',
      description: 'of one account; 0 is no limit'
    }),
    jwt_secret: optional({
      meaning: 'The secret that signs access tokens, the same on all instances. In development it may be missing: it is then made.',
      minLength: 32, secret: true, env: ['JWT_SECRET']
    }),
    admin_email: optional({
      meaning: 'The account that is created or promoted to admin at the start.',
      format: 'account-email', description: 'an email address', env: ['ADMIN_EMAIL']
    }),
    admin_password: optional({ meaning: 'The password of that account.', minLength: 8, secret: true, env: ['ADMIN_PASSWORD'] })
  }),
  channels: Type.Object({
    // Names `direct-…` are reserved [P47].
    default_room: Type.String({
      meaning: 'The channel that always exists.',
      pattern: '^(?!direct-)[a-z0-9][a-z0-9_-]{0,63}$', default: 'general', description: 'a channel name that does not begin with direct-'
    }),
    max_channels_per_user: count(50, { meaning: 'Channels that a user may be in; 0 is no limit.' }),
    max_users_per_channel: count(1000, { meaning: 'Users that may be in a channel; 0 is no limit.' }),
    max_created_per_user: count(100, { meaning: 'Existing channels that a user may have created; 0 is no limit.' }),
    create_on_join: flag(true, { meaning: 'Whether joining an unknown name creates a public channel.' }),
    max_message_length: count(4000, {
      meaning: 'The length of the longest message.', minimum: 1, maximum: 1_000_000, description: 'Unicode code points'
    }),
    max_data_bytes: count(4096, {
      meaning: 'The size of the data that a message may carry.', maximum: 1_000_000, description: 'bytes of JSON; 0 allows no data'
    }),
    max_data_depth: count(8, {
      meaning: 'How deep the data of a message may be nested.', maximum: MAX_DATA_DEPTH, description: 'levels of lists and objects'
    }),
    resume_limit: count(1000, {
      meaning: 'Missed entries that a client gets when it resumes; if it missed more, it reads the history anew.'
    }),
    max_reactions: count(20, {
      meaning: 'Different reactions that a message may have.', maximum: 100, description: 'different ones on a message; 0 allows none'
    }),
    max_topic_length: count(250, { meaning: 'The length of the longest topic.', maximum: 4000, description: 'Unicode code points' }),
    max_signal_data: count(1024, {
      meaning: 'The size of the data that a signal may carry.', maximum: 16_384, description: 'bytes of JSON'
    }),
    read_receipts_limit: count(50, {
      meaning: 'The size of the largest channel in which members see what others have read.',
      maximum: 1000, description: 'members; 0 shows nobody what others have read'
    }),
    max_slow_mode: count(21_600, {
      meaning: 'The longest wait between two messages that slow mode may ask of a user.', maximum: 86_400, description: 'seconds'
    }),
    max_report_reason: count(500, {
      meaning: 'The length of the longest reason for a report.', maximum: 4000, description: 'Unicode code points'
    })
  }),
  users: Type.Object({
    directory: flag(true, { meaning: 'Whether users may find each other by name and handle.' })
  }),
  web: Type.Object({
    enabled: flag(true, { meaning: 'Whether the server delivers the web app at `/`.' })
  }),
  performance: Type.Object({
    heartbeat_interval: seconds(30, { meaning: 'How often the server pings each connection.' }),
    connection_timeout: seconds(300, { meaning: 'How long a connection may send no frame before it is closed.' }),
    pong_timeout: seconds(10, { meaning: 'How long a client may take to answer a ping.' }),
    message_queue_size: count(1000, { meaning: 'Messages that may wait to be stored; further ones are refused as `busy`.', minimum: 1 }),
    max_buffered: count(1_048_576, {
      meaning: 'Bytes that may wait for a connection that takes nothing; a reply takes half of them at most.',
      minimum: 65_536, description: 'bytes'
    }),
    max_buffered_total: count(67_108_864, {
      meaning: 'Bytes that may wait for all connections of a process together.', minimum: 1_048_576, description: 'bytes'
    }),
    max_inbox: count(67_108_864, {
      meaning: 'Bytes of requests that may wait for their turn; beyond that, connections are not read.',
      minimum: 1_048_576, description: 'bytes, of all connections of a process together'
    })
  }),
  redis: Type.Object({
    url: optional({
      meaning: 'The Redis that connects instances. Without it, Parley runs as a single instance.',
      secret: true, description: 'a redis://, redis+sentinel:// or redis+cluster:// URL; with rediss instead of redis for TLS'
    }),
    ca: optional({
      meaning: 'The certificate with which Redis is verified, if Node does not know its authority.',
      description: 'PEM text or the path of a PEM file'
    }),
    tls_verify: flag(true, { meaning: 'Whether the certificate of a `rediss://` server is verified.' }),
    pool_size: count(10, {
      meaning: 'Connections that publish events; each worker opens three more, and in a cluster always 37.', minimum: 1, maximum: 100
    }),
    pool_timeout: seconds(5, { meaning: 'How long a command may wait for Redis.' }),
    prefix: text('parley:', { meaning: 'What the names of all keys and topics in Redis begin with.' })
  }),
  database: Type.Object({
    url: optional({
      meaning: 'The PostgreSQL database. Without it, Parley uses an embedded database in `database.data_dir`.',
      secret: true, description: 'a postgresql:// URL'
    }),
    direct_url: optional({
      meaning: 'The connection for migrations, if `database.url` leads to a pooler.',
      secret: true, description: 'a postgresql:// URL without a pooler, for migrations', env: ['DIRECT_URL']
    }),
    ca: optional({
      meaning: 'The certificate with which PostgreSQL is verified. Without it, `sslmode` in the URL decides.',
      description: 'PEM text, or the path of a PEM file'
    }),
    pool_size: count(10, { meaning: 'Connections to PostgreSQL that each worker opens at most.', minimum: 1, maximum: 1000 }),
    pool_timeout: seconds(5, { meaning: 'How long a request may wait for a connection to the database.' }),
    allow_newer: flag(false, {
      meaning: 'Whether the server starts on a database that a newer release has migrated. A release works on the tables of the next one.'
    }),
    data_dir: text('./data', { meaning: 'The folder of the embedded database and of the generated secret.', env: ['PARLEY_DATA_DIR'] })
  }),
  mail: Type.Object({
    url: optional({
      meaning: 'The mail server. Without it, Parley sends no mails.',
      secret: true, description: 'an smtp:// or smtps:// URL', env: ['SMTP_URL']
    }),
    from: optional({
      meaning: 'The sender of mails; required with `mail.url`.',
      format: 'mail-sender', maxLength: 320, description: 'an email address, or a name and an address: Parley <parley@example.org>'
    }),
    ca: optional({
      meaning: 'The certificate with which the mail server is verified, if Node does not know its authority.',
      description: 'PEM text or the path of a PEM file', env: ['SMTP_CA']
    }),
    tls_verify: flag(true, { meaning: 'Whether the certificate of the mail server is verified.', env: ['SMTP_TLS_VERIFY'] }),
    queue_size: count(1000, {
      meaning: 'Mails that may wait in memory; beyond that, requests for mails are refused as `busy`.',
      minimum: 1, maximum: 100_000, description: 'mails that wait for the mail server'
    })
  }),
  metrics: Type.Object({
    port: Type.Optional(Type.Integer({
      meaning: 'The port on which `/metrics` is served; nothing else is served there.', minimum: 0, maximum: 65535
    })),
    token: optional({
      meaning: 'The bearer token that `/metrics` requires. Without port and token there are no metrics.', minLength: 16, secret: true
    })
  }),
  limits: Type.Object({
    enabled: flag(true, { meaning: 'Whether rate limits and load shedding are on; wrong passwords are limited in any case.' }),
    connection_frames: count(200, { meaning: 'Frames of one connection.', minimum: 1, description: 'a second' }),
    connection_bytes: count(1_048_576, { meaning: 'Bytes of the frames of one connection.', minimum: 1024, description: 'bytes a second' }),
    connection_joins: count(20, { meaning: 'Joins of one connection.', minimum: 1, description: 'a second' }),
    connection_commands: count(20, { meaning: 'Commands of one connection.', minimum: 1, description: 'a second' }),
    connection_signals: count(10, { meaning: 'Signals of one connection.', minimum: 1, description: 'a second' }),
    unauthenticated_frames: count(10, { meaning: 'Frames of one connection before authentication.', minimum: 1, description: 'a second' }),
    unauthenticated_frame_bytes: count(8192, { meaning: 'The largest frame before authentication.', minimum: 1024, description: 'bytes' }),
    user_frames: count(400, { meaning: 'Frames of one user over all their connections.', minimum: 1, description: 'a second' }),
    user_bytes: count(2_097_152, { meaning: 'Bytes of the frames of one user.', minimum: 1024, description: 'bytes a second' }),
    user_joins: count(40, { meaning: 'Joins of one user.', minimum: 1, description: 'a second' }),
    user_commands: count(40, { meaning: 'Commands of one user.', minimum: 1, description: 'a second' }),
    user_connections: count(100, { meaning: 'Connections that one user may have open.', minimum: 1 }),
    user_channels_created: count(60, {
      meaning: 'Channels that one user may create.', minimum: 1, maximum: 1_000_000, description: 'a minute'
    }),
    user_pending_invitations: count(100, {
      meaning: 'Invitations of one user that may be unanswered at a time.',
      minimum: 1, maximum: 1_000_000, description: 'to one user by all others'
    }),
    user_exports: count(5, { meaning: 'Exports of one user\'s data.', minimum: 1, maximum: 1_000_000, description: 'an hour' }),
    search_requests: count(60, {
      meaning: 'Searches of one user.', minimum: 1, maximum: 1_000_000, description: 'a minute, of one user'
    }),
    user_invitations: count(40, {
      meaning: 'Invitations that one user may get.', minimum: 1, maximum: 1_000_000, description: 'a minute, to one user by all others'
    }),
    user_reports: count(20, { meaning: 'Reports that one user may make.', minimum: 1, maximum: 1000, description: 'a minute' }),
    user_blocks: count(1000, {
      meaning: 'Users whom one user may have blocked at a time.',
      minimum: 1, maximum: 1_000_000, description: 'users that one user may block'
    }),
    directory_requests: count(60, {
      meaning: 'Look-ups of users by one user.',
      minimum: 1, maximum: 1_000_000, description: 'a minute and user'
    }),
    address_frames: count(10_000, { meaning: 'Frames of one client address.', minimum: 1, description: 'a second' }),
    address_bytes: count(33_554_432, {
      meaning: 'Bytes of the frames of one client address.', minimum: 1024, description: 'bytes a second'
    }),
    address_unauthenticated_frames: count(1000, {
      meaning: 'Frames of one client address before authentication.',
      minimum: 1, description: 'a second, of connections before they are authenticated'
    }),
    address_joins: count(2000, { meaning: 'Joins of one client address.', minimum: 1, description: 'a second' }),
    address_commands: count(1000, { meaning: 'Commands of one client address.', minimum: 1, description: 'a second' }),
    address_upgrades: count(500, {
      meaning: 'WebSocket connections that one client address may open.', minimum: 1, description: 'a second'
    }),
    address_connections: count(5000, { meaning: 'Connections that one client address may have open.', minimum: 1 }),
    address_guests: count(600, {
      meaning: 'Guests from one client address.', minimum: 1, description: 'a minute, new guests of all instances together'
    }),
    address_mails: count(60, {
      meaning: 'Mails that one client address may ask for.', minimum: 1, description: 'a minute, asked for at all instances together'
    }),
    account_mails: count(5, {
      meaning: 'Mails that one account may get.', minimum: 1, description: 'an hour, to one account'
    }),
    rest_requests: count(6000, {
      meaning: 'REST requests of one user or one client address.', minimum: 1, description: 'a minute, by user or, without one, by address'
    }),
    event_loop_delay: count(500, {
      meaning: 'The delay of the event loop beyond which the server refuses new work.', description: 'milliseconds; 0 is no limit'
    }),
    heap_percent: count(90, {
      meaning: 'The share of the heap beyond which the server refuses new work.',
      minimum: 1, maximum: 100, description: 'of what Node may use'
    })
  }),
  log: Type.Object({
    level: Type.String({
      meaning: 'The least important lines that are logged.',
      pattern: '^(fatal|error|warn|info|debug|trace|silent)$', default: 'info',
      description: 'fatal, error, warn, info, debug, trace or silent'
    })
  })
})
export type Config = Static<typeof ConfigSchema>
