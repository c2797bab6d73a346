import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { uuidv7 } from 'uuidv7'
import type { Broker } from './broker/broker.ts'
import type { Config } from './config-schema.ts'
import { createActivity } from './connections/activity.ts'
import { createOutboundMemory } from './connections/backlog.ts'
import { createConnections, type Connections } from './connections/connections.ts'
import { createEvents } from './connections/events.ts'
import { Hub } from './connections/hub.ts'
import { InboxBudget } from './connections/inbox-budget.ts'
import { createLimits, type Limits } from './connections/limits.ts'
import { createOverview } from './connections/overview.ts'
import { createReconciler } from './connections/reconciler.ts'
import type { FaultPlace } from './connections/session.ts'
import { countRefusal, createTraffic, type Life, type Traffic } from './connections/traffic.ts'
import { createTracer } from './connections/tracer.ts'
import { createWatchers } from './connections/watchers.ts'
import type { Counters } from './counters.ts'
import { createCountdown, resolvesWithin } from './deadline.ts'
import { createDomain, createStores, type Domain } from './domain.ts'
import { connectionsTo, createLimitCounters } from './drivers.ts'
import { AppError } from './errors.ts'
import { maxItemBytes } from './frame-size.ts'
import { createMailer } from './mailer.ts'
import { createHttp } from './http.ts'
import { createMetrics } from './metrics/registry.ts'
import { createSampler } from './metrics/sampler.ts'
import { createAllowedOrigins } from './origins.ts'
import addressPlugin from './plugins/address.ts'
import authPlugin from './plugins/auth.ts'
import { networkOf } from './plugins/client.ts'
import descriptorsPlugin from './plugins/descriptors.ts'
import docsPlugin from './plugins/docs.ts'
import errorsPlugin from './plugins/errors.ts'
import inFlightPlugin from './plugins/in-flight.ts'
import jwtPlugin from './plugins/jwt.ts'
import limitsPlugin from './plugins/limits.ts'
import { createLoginCookie } from './plugins/login-cookie.ts'
import requestLogPlugin from './plugins/request-log.ts'
import securityPlugin from './plugins/security.ts'
import upgradesPlugin from './plugins/upgrades.ts'
import type { Presence } from './presence/presence.ts'
import { StartError } from './process/start-error.ts'
import { createRequests } from './requests/requests.ts'
import { table } from './requests/table.ts'
import { createTracedRequests } from './requests/traced.ts'
import accountCodeRoutes from './routes/account-codes.ts'
import adminRoutes from './routes/admin.ts'
import authRoutes from './routes/auth.ts'
import channelRoutes from './routes/channels.ts'
import commandRoutes from './routes/commands.ts'
import healthRoutes from './routes/health.ts'
import meRoutes from './routes/me.ts'
import messageRoutes from './routes/messages.ts'
import metricsRoutes, { type MetricsText } from './routes/metrics.ts'
import moderationRoutes from './routes/moderation.ts'
import peopleRoutes from './routes/people.ts'
import readRoutes from './routes/reads.ts'
import reportRoutes from './routes/reports.ts'
import searchRoutes from './routes/search.ts'
import userRoutes from './routes/users.ts'
import watchingRoutes from './routes/watching.ts'
import webRoutes from './routes/web.ts'
import websocketRoutes from './routes/websocket.ts'
import { createBatcher } from './services/batcher.ts'
import { admitsGuests } from './services/guests.ts'
import { createMailQueue, type MailQueue } from './services/mail-queue.ts'
import type { Database } from './store/client.ts'

export interface AppDeps {
  config: Config
  /** All migrations have been applied. */
  database: Database
  broker: Broker
  presence: Presence
  jwtSecret: string
  logger: Logger
  /** Returns the text of `/metrics` instead of this process's own metrics: a worker answers with the sum of all workers. */
  metricsText?: MetricsText
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Metrics of this process; undefined if neither a port nor a token for metrics is configured. */
    metrics: Registry | undefined
  }
}

/** Files that the embedded database may still open after the start. */
const EMBEDDED_FILES = 100
/** Share of `server.drain_timeout` for the drain; the rest is for closing the drivers. */
const DRAIN_SHARE = 0.85

/**
 * Builds the whole application, in this order: plugins that everything uses, the domain, connections, other plugins and routes. It opens
 * no port and handles no signal. `close()` drains it in less than `server.drain_timeout`. The caller closes database, broker and
 * presence.
 */
export async function buildApp ({ config, database, broker, presence, jwtSecret, logger, metricsText }: AppDeps): Promise<FastifyInstance> {
  const faults = createFaults(logger, database)
  const instance = uuidv7()
  const limits = config.limits.enabled ? createLimits(config.limits) : null
  const app = createHttp(config.server, logger)
  await app.register(errorsPlugin, faults)
  await app.register(addressPlugin, { trustedProxies: config.server.trust_proxy })
  await app.register(upgradesPlugin, { limits })
  await app.register(descriptorsPlugin, { reserve: descriptorsOf(config), maxConnections: config.server.max_connections })
  await app.register(inFlightPlugin)
  await app.register(jwtPlugin, { secret: jwtSecret })

  const { onFault } = faults
  const stores = createStores(database)
  const activity = createActivity({
    broker, heardBy: stores.activity.heardBy, channelsOf: createBatcher(stores.activity.channelsOf), onFault
  })
  const events = createEvents(broker, activity, onFault)
  const counters = createLimitCounters(config, logger)
  const outbound = createOutboundMemory(config.performance.max_buffered_total)
  const mails = openMailQueue(config.mail, logger)
  const domain = createDomain({
    config, database, stores, presence, events, counters, accessTokens: app.accessTokens, outbound, mails, onFault
  })
  const { accounts, exports, guests, maintenance, messages, publisher, reads, searchIndex } = domain

  const traffic = createTraffic(Object.keys(table))
  const watchers = createWatchers({ broker, sample: listener => sampler.watch(listener) })
  const tracer = createTracer({
    scheduleFlush: target => hub.scheduleFlush(target),
    lastBatch: () => publisher.lastBatch,
    onSwitched: isOn => connections.answerBy(isOn ? tracedRequests : requests)
  })
  const maxWaiting = config.performance.max_buffered / 2
  const hub = new Hub({ broker, presence, traffic, messages, activity, watchers, tracer, onFault, maxWaiting, outbound })
  const context = {
    ...domain,
    hub,
    activity,
    watchers,
    tracer,
    instance,
    traffic,
    admitsGuests: admitsGuests(config.authentication),
    resumeLimit: config.channels.resume_limit,
    maxItems: maxItemBytes(config.performance)
  }
  const [requests, tracedRequests] = [createRequests(context), createTracedRequests(context)]
  const inboxes = new InboxBudget(config.performance.max_inbox)
  const onEnd = (life: Life): void => logger.info(life, 'connection closed')
  const connections = createConnections({ config, limits, inboxes, outbound, hub, traffic, requests, guests, onFault, onEnd })
  const reconciler = createReconciler({ hub, broker, ...stores.channels, ...stores.users, ...stores.tokens, ...stores.directs, onFault })

  const { port: metricsPort, token: metricsToken } = config.metrics
  const isMeasured = metricsPort !== undefined || metricsToken !== undefined
  const sources = { maxConnections: config.server.max_connections, hub, inboxes, outbound, traffic, publisher, broker, database }
  const metrics = isMeasured ? createMetrics({ ...sources, presence, descriptors: app.descriptors }) : undefined
  const sampler = createSampler({
    ...sources, instance, busDriver: config.redis.url === undefined ? 'memory' : 'redis', pingDatabase: stores.messages.ping
  })
  app.decorate('metrics', metrics?.registry)
  await app.register(requestLogPlugin, { onAnswered: metrics?.onAnswered })
  await app.register(securityPlugin, {
    allowedOrigins: createAllowedOrigins(config.server.allowed_origins),
    onRefusedOrigin: () => { traffic.originsRefused++ }
  })
  await registerApi(app, { config, domain, counters })
  await app.register(watchingRoutes, { ...domain, overview: createOverview(hub, networkOf), instance, currentStats: sampler.current })
  await app.register(healthRoutes, {
    pingDatabase: stores.messages.ping,
    isMigrated: database.isMigrated,
    isFull: () => database.full,
    broker,
    isDraining: () => connections.draining
  })
  if (metrics && metricsPort === undefined) {
    await app.register(metricsRoutes, { text: metricsText ?? (() => metrics.registry.metrics()), token: metricsToken })
  }
  if (config.web.enabled) await app.register(webRoutes, { config })
  await registerWebsocket(app, { config, connections, hub, traffic, limits })

  app.addHook('onReady', async () => {
    await stores.channels.ensure(uuidv7(), config.channels.default_room)
    const { admin_email: email, admin_password: password } = config.authentication
    const refusal = email !== undefined && password !== undefined ? await accounts.ensureAdmin(email, password) : null
    if (refusal !== null) throw new StartError(refusal)
    counters.start()
    await broker.start(hub.handlers)
    searchIndex.start()
  })
  app.addHook('onClose', counters.close)
  app.addHook('preClose', async () => {
    const timeLeft = createCountdown(config.server.drain_timeout * 1000 * DRAIN_SHARE)
    exports.stop()
    await connections.drain(publisher.close, timeLeft())
    await app.requestsAnswered(timeLeft())
    await mails?.close(timeLeft())
    app.upgrades.close()
    await resolvesWithin(reads.close(), timeLeft())
    activity.stop()
    reconciler.stop()
    guests.stop()
    maintenance.stop()
    searchIndex.stop()
    sampler.stop()
  })
  return app
}

/** Null where no mail server is configured. */
function openMailQueue ({ url, from, queue_size: size, ...tls }: Config['mail'], logger: Logger): MailQueue | null {
  if (url === undefined || from === undefined) return null
  return createMailQueue({ send: createMailer({ url, from, ...tls }), size, logger })
}

/** Registers the routes of `/api` and the documents that describe them. */
async function registerApi (
  app: FastifyInstance, { config, domain, counters }: { config: Config, domain: Domain, counters: Counters }
): Promise<void> {
  const { auth } = domain
  await app.register(authPlugin, { auth })
  if (config.limits.enabled) await app.register(limitsPlugin, { config: config.limits, auth, counters })
  await app.register(docsPlugin)
  await app.register(authRoutes, { auth, loginCookie: createLoginCookie(config.server.public_url) })
  await app.register(accountCodeRoutes, domain)
  await app.register(meRoutes, domain)
  await app.register(channelRoutes, domain)
  await app.register(messageRoutes, domain)
  await app.register(readRoutes, domain)
  await app.register(commandRoutes, domain)
  await app.register(moderationRoutes, domain)
  await app.register(peopleRoutes, domain)
  await app.register(reportRoutes, domain)
  await app.register(searchRoutes, domain)
  if (config.users.directory) await app.register(userRoutes, domain)
  await app.register(adminRoutes, domain)
}

async function registerWebsocket (app: FastifyInstance, { config, connections, hub, traffic, limits }: {
  config: Config, connections: Connections, hub: Hub, traffic: Traffic, limits: Limits | null
}): Promise<void> {
  const { max_connections: maxConnections, max_payload: maxPayload } = config.server
  await app.register(websocketRoutes, {
    connections,
    onRefused: code => countRefusal(traffic, code),
    hasRoom: further => !connections.draining && hub.size + app.upgrades.size + further <= maxConnections &&
      !app.descriptors.areScarce && !(limits && app.isUnderPressure()),
    limits,
    maxPayload
  })
}

/** Logs faults. A full disk is logged where it is noticed, so errors that follow from it are not logged again. */
function createFaults (logger: Logger, database: Database) {
  const isTold = (error: unknown): boolean => database.full && error instanceof AppError && error.code === 'unavailable'
  return {
    isTold,
    onFault (error: unknown, where?: FaultPlace): void {
      if (isTold(error)) return
      if (error instanceof AppError) logger.warn({ ...where, err: error.cause ?? error }, error.message)
      else logger.error({ ...where, err: error }, 'fault')
    }
  }
}

/** File descriptors that the database and Redis drivers may open. The embedded database opens a file for each table and index. */
function descriptorsOf ({ database, redis }: Config): number {
  return (database.url === undefined ? EMBEDDED_FILES : database.pool_size) + connectionsTo(redis)
}
