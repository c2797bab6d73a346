import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { uuidv7 } from 'uuidv7'
import type { Broker } from './broker/broker.ts'
import type { Config } from './config.ts'
import { createCounters } from './counters.ts'
import { createCountdown } from './deadline.ts'
import { AppError } from './errors.ts'
import { maxItemBytes } from './frame-size.ts'
import { createMetrics } from './metrics/registry.ts'
import { createAllowedOrigins } from './origins.ts'
import addressPlugin, { trustProxy } from './plugins/address.ts'
import authPlugin from './plugins/auth.ts'
import descriptorsPlugin from './plugins/descriptors.ts'
import docsPlugin from './plugins/docs.ts'
import errorsPlugin, { sendError } from './plugins/errors.ts'
import inFlightPlugin from './plugins/in-flight.ts'
import jwtPlugin from './plugins/jwt.ts'
import limitsPlugin from './plugins/limits.ts'
import requestLogPlugin, { createRequestId, logRequest, nameReply } from './plugins/request-log.ts'
import securityPlugin from './plugins/security.ts'
import upgradesPlugin, { isHandshake } from './plugins/upgrades.ts'
import validationPlugin from './plugins/validation.ts'
import type { Presence } from './presence/presence.ts'
import { createOutboundMemory } from './realtime/backlog.ts'
import { createEvents } from './realtime/events.ts'
import { Hub } from './realtime/hub.ts'
import { InboxBudget } from './realtime/inbox-budget.ts'
import { createLimits } from './realtime/limits.ts'
import { createRealtime } from './realtime/realtime.ts'
import type { FaultPlace } from './realtime/session.ts'
import { countRefusal, createTraffic, type Life } from './realtime/traffic.ts'
import { createWatch } from './realtime/watch.ts'
import adminRoutes from './routes/admin.ts'
import authRoutes from './routes/auth.ts'
import channelRoutes from './routes/channels.ts'
import healthRoutes from './routes/health.ts'
import meRoutes from './routes/me.ts'
import messageRoutes from './routes/messages.ts'
import metricsRoutes, { type MetricsText } from './routes/metrics.ts'
import moderationRoutes from './routes/moderation.ts'
import websocketRoutes from './routes/websocket.ts'
import { createAccounts } from './services/accounts.ts'
import { createAdmin } from './services/admin.ts'
import { createAuth } from './services/auth.ts'
import { createChannels } from './services/channels.ts'
import { createGuests } from './services/guests.ts'
import { createLoginThrottle } from './services/login-throttle.ts'
import { createMaintenance } from './services/maintenance.ts'
import { createMemberships } from './services/memberships.ts'
import { createMessages } from './services/messages.ts'
import { createModeration } from './services/moderation.ts'
import { createPasswords } from './services/passwords.ts'
import { createPublisher } from './services/publisher.ts'
import { createChannelStore } from './store/channels.ts'
import type { Database } from './store/client.ts'
import { createGuestStore } from './store/guests.ts'
import { createMembershipStore } from './store/memberships.ts'
import { createMessageStore } from './store/messages.ts'
import { createModerationStore } from './store/moderation.ts'
import { createTokens } from './store/tokens.ts'
import { createUsers } from './store/users.ts'

export interface AppDeps {
  config: Config
  /** Migrated. */
  database: Database
  broker: Broker
  presence: Presence
  jwtSecret: string
  logger: Logger
  /** What `/metrics` answers instead of this process's own: where it is one of several workers, all of theirs. */
  metricsText?: MetricsText
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Of this process; undefined where neither a port nor a token for metrics is configured. */
    metrics: Registry | undefined
  }
}

/** Bytes a REST body may have. */
const BODY_LIMIT = 65_536
/** Messages of one commit. The embedded database works on our own thread: a long commit would stall it. */
const BATCH_SIZE = { postgresql: 500, pglite: 100 }
/** One commit, and one read of what the bus lost, put out about this part of what may wait for a connection [P52]. */
const BURSTS = 8
/** Entries that one such read takes at most. */
const READ_LIMIT = 500
/** More files of the embedded database that may come to be open after the start. */
const EMBEDDED_FILES = 100
/** Of `server.drain_timeout`: the rest is for closing the drivers. */
const DRAIN_SHARE = 0.85

/**
 * The whole application, wired in order: stores, services, realtime, plugins, routes. It opens no port and minds no
 * signal; `close()` drains it, in less than `server.drain_timeout`. Closing database, broker and presence is the caller's.
 */
export async function buildApp ({ config, database, broker, presence, jwtSecret, logger, metricsText }: AppDeps): Promise<FastifyInstance> {
  /** A full disk has its line in the log: whoever meets it adds none. */
  const isTold = (error: unknown): boolean => database.full && error instanceof AppError && error.code === 'unavailable'
  const onFault = (error: unknown, where?: FaultPlace): void => {
    if (isTold(error)) return
    if (error instanceof AppError) logger.warn({ ...where, err: error.cause ?? error }, error.message)
    else logger.error({ ...where, err: error }, 'fault')
  }
  const allowedOrigins = createAllowedOrigins(config.server.allowed_origins)
  const app: FastifyInstance = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    genReqId: createRequestId(config.server.trust_proxy !== 'false'),
    // plugins/request-log.ts has its own, without the URL.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    // A URL that cannot be read meets no hook.
    frameworkErrors: (error, request, reply) => {
      nameReply(request, reply)
      app.upgrades.begin(request, reply)
      reply.raw.once('finish', () => logRequest(request, reply))
      sendError(error, request, reply)
    },
    trustProxy: trustProxy(config.server.trust_proxy),
    forceCloseConnections: true,
    // While the server drains it answers as ever, and ends each connection with its answer: a load balancer loses nothing.
    return503OnClosing: false,
    // Longer names are for the schema to refuse, not for the router to miss.
    routerOptions: { maxParamLength: 4096 },
    requestTimeout: 30_000,
    // Node looks for connections past their time-outs every 30 s, if not told otherwise.
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1000, ...{ shouldUpgradeCallback: isHandshake } }
  })
  await app.register(errorsPlugin, { isTold })
  await app.register(addressPlugin)
  const limits = config.limits.enabled ? createLimits(config.limits) : null
  await app.register(upgradesPlugin, { limits })
  const { max_connections: maxConnections } = config.server
  await app.register(descriptorsPlugin, { reserve: descriptorsOf(config), maxConnections })
  await app.register(inFlightPlugin)
  await app.register(validationPlugin)
  await app.register(jwtPlugin, { secret: jwtSecret })

  const users = createUsers(database.prisma)
  const tokens = createTokens(database)
  const channelStore = createChannelStore(database.prisma)
  const membershipStore = createMembershipStore(database)
  const messageStore = createMessageStore(database)
  const moderationStore = createModerationStore(database.prisma)

  const events = createEvents(broker, onFault)
  const passwords = createPasswords()
  const counters = createCounters({ ...config.redis, url: config.redis.url, logger })
  const throttle = createLoginThrottle({ counters, limitAll: config.limits.enabled })
  const onLoginRevoked = events.loginRevoked
  const auth = createAuth({ users, tokens, passwords, throttle, ...app.accessTokens, config: config.authentication, onLoginRevoked })
  const admin = createAdmin({ users, store: moderationStore, events, maxText: maxItemBytes(config.performance) })
  const accounts = createAccounts({
    users, passwords, throttle, onLoginRevoked, erase: admin.eraseSelf, onUserChanged: events.userChanged
  })
  const { default_room: defaultRoom, max_channels_per_user: maxChannels, max_users_per_channel: maxUsers } = config.channels
  const { limits: { enabled: isLimited, ...limit } } = config
  const creation = {
    maxChannels, maxCreated: config.channels.max_created_per_user, createdPerMinute: isLimited ? limit.user_channels_created : 0
  }
  const channels = createChannels({ store: channelStore, presence, events, rules: creation })
  const memberships = createMemberships({
    store: membershipStore, events, rules: { ...creation, maxUsers, defaultRoom, createMissing: config.channels.create_on_join }
  })
  const { max_buffered: maxBuffered, max_buffered_total: maxBufferedTotal, message_queue_size: queueSize } = config.performance
  const outbound = createOutboundMemory(maxBufferedTotal)
  const burst = maxBuffered / BURSTS
  const publisher = createPublisher({
    store: messageStore, events, queueSize, batchSize: BATCH_SIZE[database.kind], batchLength: burst, untilRoom: outbound.untilRoom
  })
  const messages = createMessages({ store: messageStore, channels, publisher, maxLength: config.channels.max_message_length })
  const moderation = createModeration({
    store: moderationStore,
    channels,
    events,
    invitationLimits: isLimited
      ? { pending: limit.user_pending_invitations, perMinute: limit.user_invitations }
      : { pending: 0, perMinute: 0 }
  })
  const guests = createGuests({ store: createGuestStore(database.prisma), enabled: !config.authentication.enabled, onFault })
  const maintenance = createMaintenance({ messages: messageStore, tokens, tokenLifetime: config.authentication.token_expiry, onFault })

  const traffic = createTraffic()
  const hub = new Hub({
    broker,
    presence,
    traffic,
    read: (channelId, after, upTo) => messages.entries(channelId, after, upTo, READ_LIMIT, burst),
    isInFlight: messages.isInFlight,
    onFault,
    maxWaiting: maxBuffered / 2,
    outbound
  })
  const inboxes = new InboxBudget(config.performance.max_inbox)
  const onEnd = (life: Life): void => logger.info(life, 'connection closed')
  const realtime = createRealtime({
    config, limits, inboxes, outbound, hub, traffic, auth, guests, channels, memberships, messages, moderation, onFault, onEnd
  })
  const watch = createWatch({ hub, broker, ...channelStore, ...users, ...tokens, onFault })

  const { port: metricsPort, token: metricsToken } = config.metrics
  const isMeasured = metricsPort !== undefined || metricsToken !== undefined
  const { descriptors } = app
  const sources = { maxConnections, hub, inboxes, outbound, traffic, publisher, broker, presence, database, descriptors }
  const metrics = isMeasured ? createMetrics(sources) : undefined
  app.decorate('metrics', metrics?.registry)

  await app.register(requestLogPlugin, { onAnswered: metrics?.onAnswered })
  await app.register(securityPlugin, { allowedOrigins })
  await app.register(authPlugin, { auth })
  if (config.limits.enabled) await app.register(limitsPlugin, { config: config.limits, auth, counters })
  await app.register(docsPlugin)
  await app.register(authRoutes, { auth })
  await app.register(meRoutes, { accounts, moderation })
  await app.register(channelRoutes, { channels })
  await app.register(messageRoutes, { messages })
  await app.register(moderationRoutes, { moderation, memberships, messages })
  await app.register(adminRoutes, { admin })
  await app.register(healthRoutes, {
    pingDatabase: messageStore.ping,
    isMigrated: database.isMigrated,
    isFull: () => database.full,
    broker,
    isDraining: () => realtime.draining
  })
  if (metrics && metricsPort === undefined) {
    await app.register(metricsRoutes, { text: metricsText ?? (() => metrics.registry.metrics()), token: metricsToken })
  }
  await app.register(websocketRoutes, {
    realtime,
    onRefused: code => countRefusal(traffic, code),
    hasRoom: () => !realtime.draining && hub.size + app.upgrades.size <= maxConnections && !app.descriptors.areScarce &&
      !(limits && app.isUnderPressure()),
    limits,
    maxPayload: config.server.max_payload,
    allowedOrigins
  })

  app.addHook('onReady', async () => {
    await channelStore.ensure(uuidv7(), defaultRoom)
    const { admin_email: email, admin_password: password } = config.authentication
    if (email !== undefined && password !== undefined) await accounts.ensureAdmin(email, password)
    counters.start()
    await broker.start(hub.handlers)
  })
  app.addHook('onClose', counters.close)
  app.addHook('preClose', async () => {
    const timeLeft = createCountdown(config.server.drain_timeout * 1000 * DRAIN_SHARE)
    await realtime.drain(publisher.close, timeLeft())
    await app.requestsAnswered(timeLeft())
    app.upgrades.close()
    watch.stop()
    guests.stop()
    maintenance.stop()
  })
  return app
}

/** File descriptors that the database's and Redis' drivers may open; the embedded database opens a file for each table and index. */
function descriptorsOf ({ database, redis }: Config): number {
  return (database.url === undefined ? EMBEDDED_FILES : database.pool_size) + (redis.url === undefined ? 0 : redis.pool_size)
}
