import type { Config } from './config-schema.ts'
import type { OutboundMemory } from './connections/backlog.ts'
import type { Counters } from './counters.ts'
import { maxItemBytes } from './frame-size.ts'
import type { Presence } from './presence/presence.ts'
import { createAccountCodes } from './services/account-codes.ts'
import { createAccounts } from './services/accounts.ts'
import { createAdmin } from './services/admin.ts'
import { createAuth, type AuthDeps } from './services/auth.ts'
import { createBlocks } from './services/blocks.ts'
import { createChannels } from './services/channels.ts'
import { createDirectory } from './services/directory.ts'
import { createDirects } from './services/directs.ts'
import type { Events } from './services/events.ts'
import { createExports } from './services/exports.ts'
import { admitsGuests, createGuests } from './services/guests.ts'
import { createInvitationCodes } from './services/invitation-codes.ts'
import { createLogins } from './services/logins.ts'
import { createLoginThrottle } from './services/login-throttle.ts'
import type { MailQueue } from './services/mail-queue.ts'
import { createMaintenance } from './services/maintenance.ts'
import { createMemberships } from './services/memberships.ts'
import { createMessages } from './services/messages.ts'
import { createModeration } from './services/moderation.ts'
import { createPasswords } from './services/passwords.ts'
import { createPublisher } from './services/publisher.ts'
import { createReads } from './services/reads.ts'
import { createReports } from './services/reports.ts'
import { createSearch } from './services/search.ts'
import { createSearchIndex } from './services/search-index.ts'
import { createSignals } from './services/signals.ts'
import { createWatching } from './services/watching.ts'
import { createAccountCodeStore } from './store/account-codes.ts'
import { createAccountStore } from './store/accounts.ts'
import { createActivityStore } from './store/activity.ts'
import { createBlockStore } from './store/blocks.ts'
import { createChannelStore } from './store/channels.ts'
import type { Database } from './store/client.ts'
import { createDirectoryStore } from './store/directory.ts'
import { createDirectStore } from './store/directs.ts'
import { createExportStore } from './store/export.ts'
import { createFunctions } from './store/functions.ts'
import { createGuestStore } from './store/guests.ts'
import { createInvitationCodeStore } from './store/invitation-codes.ts'
import { createLoginStore } from './store/logins.ts'
import { createMembershipStore } from './store/memberships.ts'
import { createMessageStore } from './store/messages.ts'
import { createModerationStore } from './store/moderation.ts'
import { createOwnChannelStore } from './store/own-channels.ts'
import { createPruning } from './store/pruning.ts'
import { createReadStore } from './store/reads.ts'
import { createReportStore } from './store/reports.ts'
import { createSearchStore } from './store/search.ts'
import { createTokens } from './store/tokens.ts'
import { createUsers } from './store/users.ts'
import { createWatchingStore } from './store/watching.ts'

export type Stores = ReturnType<typeof createStores>

/** Creates all database queries, grouped by subject. */
export function createStores (database: Pick<Database, 'prisma' | 'query' | 'kind'>) {
  const { prisma } = database
  return {
    users: createUsers(prisma),
    accounts: createAccountStore(prisma),
    accountCodes: createAccountCodeStore(prisma),
    tokens: createTokens(database),
    logins: createLoginStore(prisma),
    invitationCodes: createInvitationCodeStore(prisma),
    directory: createDirectoryStore(prisma),
    channels: createChannelStore(database),
    ownChannels: createOwnChannelStore(prisma),
    reads: createReadStore(database),
    activity: createActivityStore(database),
    memberships: createMembershipStore(database),
    messages: createMessageStore(database),
    moderation: createModerationStore(prisma),
    reports: createReportStore(prisma),
    guests: createGuestStore(prisma),
    pruning: createPruning(prisma),
    directs: createDirectStore(prisma),
    blocks: createBlockStore(prisma),
    search: createSearchStore(database),
    exports: createExportStore(database),
    watching: createWatchingStore(prisma),
    functions: createFunctions(prisma)
  }
}

export interface DomainDeps {
  config: Config
  database: Database
  stores: Stores
  presence: Presence
  events: Events
  counters: Counters
  accessTokens: Pick<AuthDeps, 'sign' | 'verify'>
  outbound: OutboundMemory
  /** Null where no mail server is configured. */
  mails: MailQueue | null
  onFault (error: unknown): void
}

/** Messages that one commit stores at most. The embedded database runs on the server's own thread, which a long commit would block. */
const BATCH_SIZE = { postgresql: 500, pglite: 100 }
/** Entries that one batch adds to the index of search, for the same reason. */
const INDEX_BATCH_SIZE = { postgresql: 500, pglite: 40 }
/** Positions of readers that one statement writes at most, for the same reason. */
const READS_SIZE = { postgresql: 5000, pglite: 500 }
/** One commit, or one read of entries that the bus lost, delivers at most about `performance.max_buffered` / BURSTS bytes [P52]. */
const BURSTS = 8

export type Domain = ReturnType<typeof createDomain>

/** Creates the services, which REST and WebSocket share. */
export function createDomain (deps: DomainDeps) {
  const { config, database, stores, presence, events, counters, accessTokens, outbound, mails, onFault } = deps
  const { users, tokens } = stores
  const { enabled: isLimited, ...limits } = config.limits
  const { loginRevoked: onLoginRevoked } = events
  const passwords = createPasswords()
  const throttle = createLoginThrottle({ counters, limits: config.limits })
  const accountCodes = createAccountCodes({
    store: stores.accountCodes, passwords, throttle, mails, publicUrl: config.server.public_url, onLoginRevoked, onFault
  })
  const caps = {
    maxChannels: config.channels.max_channels_per_user,
    maxUsers: config.channels.max_users_per_channel,
    defaultRoom: config.channels.default_room
  }
  const auth = createAuth({
    users,
    tokens,
    passwords,
    throttle,
    invitationCodes: stores.invitationCodes,
    invitationRules: caps,
    ...accessTokens,
    config: config.authentication,
    mailVerification: accountCodes.mailVerification,
    onLoginRevoked
  })
  const invitationCodes = createInvitationCodes(stores.invitationCodes)
  const logins = createLogins({ store: stores.logins, onLoginRevoked })
  const admin = createAdmin({ store: stores.accounts, log: stores.moderation.log, events, maxText: maxItemBytes(config.performance) })
  const accounts = createAccounts({
    users, passwords, throttle, onLoginRevoked, erase: admin.eraseSelf, onUserChanged: events.userChanged
  })

  const creation = {
    maxChannels: caps.maxChannels,
    maxCreated: config.channels.max_created_per_user,
    createdPerMinute: isLimited ? limits.user_channels_created : 0
  }
  const reads = createReads({
    store: stores.reads,
    events,
    receiptsLimit: config.channels.read_receipts_limit,
    batchSize: READS_SIZE[database.kind],
    onFault
  })
  const channels = createChannels({
    store: stores.channels,
    ownStore: stores.ownChannels,
    presence,
    events,
    reads,
    rules: creation,
    maxTopicLength: config.channels.max_topic_length,
    maxSlowMode: config.channels.max_slow_mode
  })
  const memberships = createMemberships({
    store: stores.memberships,
    events,
    reads,
    rules: {
      ...caps,
      ...creation,
      createMissing: config.channels.create_on_join
    }
  })
  const moderation = createModeration({
    store: stores.moderation,
    channels,
    events,
    invitationLimits: {
      pending: isLimited ? limits.user_pending_invitations : 0,
      perMinute: isLimited ? limits.user_invitations : 0
    }
  })

  const burst = config.performance.max_buffered / BURSTS
  const publisher = createPublisher({
    store: stores.messages,
    events: {
      ...events,
      entriesStored (channelId, entries, queuedAt) {
        events.entriesStored(channelId, entries, queuedAt)
        reads.sent(channelId, entries)
      }
    },
    queueSize: config.performance.message_queue_size,
    batchSize: BATCH_SIZE[database.kind],
    maxReactions: config.channels.max_reactions,
    batchLength: burst,
    untilRoom: outbound.untilRoom
  })
  const messages = createMessages({
    store: stores.messages,
    channels,
    publisher,
    maxLength: config.channels.max_message_length,
    dataLimits: { bytes: config.channels.max_data_bytes, depth: config.channels.max_data_depth },
    maxRepair: burst
  })

  const signals = createSignals({
    store: stores.memberships, events, dataLimits: { bytes: config.channels.max_signal_data, depth: config.channels.max_data_depth }
  })

  const directory = createDirectory({
    store: stores.directory, presence, counters, requestsPerMinute: isLimited ? limits.directory_requests : 0
  })
  const directs = createDirects({ store: stores.directs, channels, events, createdPerMinute: creation.createdPerMinute })
  const blocks = createBlocks({ store: stores.blocks, events, maxBlocks: isLimited ? limits.user_blocks : 0 })

  const reports = createReports({
    store: stores.reports,
    events,
    maxReason: config.channels.max_report_reason,
    perMinute: isLimited ? limits.user_reports : 0,
    maxNotice: maxItemBytes(config.performance)
  })

  const search = createSearch({ store: stores.search, counters, perMinute: isLimited ? limits.search_requests : 0 })
  const exports = createExports({ store: stores.exports, counters, perHour: isLimited ? limits.user_exports : 0 })
  const searchIndex = createSearchIndex({
    store: stores.search, batchSize: INDEX_BATCH_SIZE[database.kind], isBusy: () => publisher.backlog().messages > 0, onFault
  })

  const guests = createGuests({ store: stores.guests, throttle, enabled: admitsGuests(config.authentication), onFault })
  const maintenance = createMaintenance({
    messages: stores.messages,
    pruning: stores.pruning,
    tokens,
    accountCodes: stores.accountCodes,
    tokenLifetime: config.authentication.token_expiry,
    hasAutovacuum: database.kind === 'postgresql',
    onFault
  })
  return {
    auth,
    admin,
    accounts,
    accountCodes,
    logins,
    invitationCodes,
    channels,
    memberships,
    moderation,
    publisher,
    messages,
    signals,
    reads,
    directory,
    directs,
    blocks,
    reports,
    search,
    searchIndex,
    exports,
    guests,
    maintenance,
    watching: createWatching(stores.watching),
    call: stores.functions.call,
    idOfHandle: users.idOfHandle
  }
}
