import { createPasswords } from '../../src/services/passwords.ts'
import type { Database, Query } from '../../src/store/client.ts'
import { fullSize, makeCommunity, type DemoSize } from './community.ts'
import { createIds, type NewId } from './ids.ts'
import type { Channel, Community, LogLine, Message } from './model.ts'
import { PASSWORD } from './people.ts'
import { createRandom } from './random.ts'

/** Rows that one statement writes. */
const BATCH = 1000

export interface FillOptions {
  seed: number
  /** When the history ends, Unix milliseconds. */
  now: number
  size?: DemoSize
  /** Is told how many of the rows are written, now and then. */
  onProgress?: (written: number, all: number) => void
}

/**
 * Fills an empty embedded database with the community of `makeCommunity`: all of it or, if anything goes wrong, nothing. No server may use
 * the database meanwhile. The rows are what the server itself would have stored, so it goes on from there: `seq` has no gaps, and search
 * indexes the messages in the background, newest first.
 * @returns false if the database has users already. Then nothing is written.
 */
export async function fillDemo (
  { query, kind }: Pick<Database, 'query' | 'kind'>, { seed, now, size = fullSize, onProgress = () => {} }: FillOptions
): Promise<boolean> {
  // The transaction below is one of the only connection, which a pool would not give.
  if (kind !== 'pglite') throw new Error('the demo fills an embedded database only')
  const [found] = await query<{ filled: boolean }>('SELECT EXISTS (SELECT FROM "User") AS filled', [])
  if (found!.filled) return false
  const passwordHash = await createPasswords().hash(PASSWORD, '127.0.0.1')
  const tables = tablesOf(makeCommunity({ seed, now, size }), passwordHash, createIds(createRandom(seed).fork('log')))
  const all = Object.values(tables).reduce((sum, rows) => sum + rows.length, 0)
  let written = 0
  await query('BEGIN', [])
  try {
    for (const [table, rows] of Object.entries(tables)) {
      for (let from = 0; from < rows.length; from += BATCH) {
        const batch = rows.slice(from, from + BATCH)
        await insert(query, table, batch)
        written += batch.length
        onProgress(written, all)
      }
    }
    await indexInBackground(query)
    await query('COMMIT', [])
  } catch (error) {
    await query('ROLLBACK', [])
    throw error
  }
  await query('ANALYZE', [])
  return true
}

type Row = Record<string, unknown>

/** Inserts rows that all have the same columns. PostgreSQL reads each value as its column's type says. */
async function insert (query: Query, table: string, rows: Row[]): Promise<void> {
  const columns = Object.keys(rows[0]!).map(column => `"${column}"`).join(', ')
  const values = `json_populate_recordset(NULL::"${table}", $1::json)`
  await query(`INSERT INTO "${table}" (${columns}) SELECT ${columns} FROM ${values}`, [JSON.stringify(rows)])
}

/** Treats the messages like those from before the index existed: the server then indexes them one by one, in the order of their times. */
async function indexInBackground (query: Query): Promise<void> {
  await query('UPDATE "SearchState" SET backfill = \'ffffffff-ffff-ffff-ffff-ffffffffffff\'', [])
  await query('INSERT INTO "SearchPosition" SELECT id, "lastSeq", 0 FROM "Channel" WHERE "lastSeq" > 0', [])
}

/** The rows of each table, in an order in which each row finds those that it refers to. */
function tablesOf ({ accounts, channels, reports, log }: Community, passwordHash: string, newLogId: NewId): Record<string, Row[]> {
  return {
    User: accounts.map(({ id, email, name, handle, role, createdAt }) =>
      ({ id, email, name, passwordHash, role, createdAt: time(createdAt), handle: handle ?? null, emailVerifiedAt: time(createdAt) })),
    Channel: channels.map(channelRow),
    ChannelUser: rowsOf(channels, ({ members }) => members.map(({ account, joinedAt, readSeq }) =>
      ({ userId: account.id, joinedAt: time(joinedAt), readSeq }))),
    ChannelModerator: rowsOf(channels, ({ moderators, createdAt }) => moderators.map(({ id }) =>
      ({ userId: id, createdAt: time(createdAt) }))),
    ChannelInvite: rowsOf(channels, ({ invitations }) => invitations.map(({ account, by, at }) =>
      ({ userId: account.id, invitedBy: by.id, createdAt: time(at) }))),
    ChannelBan: rowsOf(channels, ({ bans }) => bans.map(({ account, by, at, expiresAt, reason }) =>
      ({ userId: account.id, reason, bannedBy: by.id, told: 1, expiresAt: time(expiresAt), createdAt: time(at) }))),
    ChannelMute: rowsOf(channels, ({ mutes }) => mutes.map(({ account, by, at, expiresAt }) =>
      ({ userId: account.id, mutedBy: by.id, told: true, expiresAt: time(expiresAt), createdAt: time(at) }))),
    DirectPeer: rowsOf(channels.filter(({ type }) => type === 'direct'), peerRows),
    Message: rowsOf(channels, messageRows),
    MessageChange: rowsOf(channels, ({ entries }) => entries.flatMap(entry => entry.kind === 'edited' || entry.kind === 'deleted'
      ? { seq: entry.seq, messageId: entry.message.id, kind: entry.kind, userId: entry.by.id, createdAt: time(entry.at) }
      : [])),
    Reaction: rowsOf(channels, reactionRows),
    Report: reports.map(({ id, channel, message, by, at, reason, settled }) => ({
      id, channelId: channel.id, channelName: channel.name, messageId: message.id, seq: message.seq, authorId: message.by.id,
      content: message.text, sentAt: time(message.at), reporterId: by.id, reason, createdAt: time(at),
      resolution: settled?.resolution ?? null, settledBy: settled?.by.id ?? null, settledAt: settled ? time(settled.at) : null
    })),
    ModerationLog: log.toSorted((a, b) => a.at - b.at).map(line => logRow(line, newLogId(line.at)))
  }
}

function rowsOf (channels: Channel[], rows: (channel: Channel) => Row[]): Row[] {
  return channels.flatMap(channel => rows(channel).map(row => ({ channelId: channel.id, ...row })))
}

function channelRow ({ id, name, type, topic, createdBy, createdAt, aclVersion, members, entries }: Channel): Row {
  const last = entries.findLast(({ kind }) => kind === 'message')
  return {
    id, name, channelType: type, createdBy: createdBy?.id ?? null, lastSeq: entries.length, aclVersion, userCount: members.length,
    createdAt: time(createdAt), topic, slowMode: 0, settingsVersion: 0, lastMessageAt: last ? time(last.at) : null
  }
}

/** The one who did not write first was told of the channel by the first message [P47]. */
function peerRows ({ members, entries }: Channel): Row[] {
  const [one, other] = members.map(({ account }) => account)
  const [first] = entries
  return [[one!, other!], [other!, one!]].map(([user, peer]) =>
    ({ userId: user!.id, peerId: peer!.id, toldAt: first && first.by !== user ? time(first.at) : null }))
}

function messageRows ({ entries }: Channel): Row[] {
  return entries.filter((entry): entry is Message => entry.kind === 'message').map(message => ({
    seq: message.seq, id: message.id, userId: message.by.id, content: message.deletedAt === undefined ? message.text : null,
    replyTo: message.replyTo?.id ?? null, createdAt: time(message.at), editedAt: time(message.editedAt), deletedAt: time(message.deletedAt)
  }))
}

function reactionRows ({ entries }: Channel): Row[] {
  return entries.flatMap(entry => entry.kind === 'reaction'
    ? {
        seq: entry.seq, messageId: entry.message.id, userId: entry.by.id, reaction: entry.reaction, added: entry.added,
        current: entry.current, createdAt: time(entry.at)
      }
    : [])
}

function logRow ({ at, by, action, target, channel, reason, expiresAt }: LogLine, id: string): Row {
  return {
    id, actorId: by?.id ?? null, action, targetId: target?.id ?? null, channelId: channel?.id ?? null, channelName: channel?.name ?? null,
    reason: reason ?? null, expiresAt: time(expiresAt), createdAt: time(at)
  }
}

function time (at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
