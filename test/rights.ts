import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import type { CommandRow, Who } from '../src/requests/row.ts'
import { commands } from '../src/requests/table.ts'
import { hashOf } from '../src/services/secret-hash.ts'
import { eventually } from './eventually.ts'
import type { Scope, Server } from './helper.ts'
import { countLockWaiters } from './lock-waiters.ts'

/** Names of the commands that act on another user. */
export const userActs = Object.entries(commands).filter(([, { fields }]) => 'user_id' in fields).map(([name]) => name)

/** What may happen to the acting user between their request and its write [P55]. */
export type Change = 'disabled' | 'erased' | 'logged out' | 'demoted' | 'no moderator any more' | 'kicked' | 'banned'
/** The error code that refuses a write, for each change that takes away the right to it. */
export type Refusals = Partial<Record<Change, string>>

export const gone = { disabled: 'authentication_failed', erased: 'authentication_failed', 'logged out': 'authentication_failed' }
export const member = { ...gone, demoted: 'not_in_channel', kicked: 'not_in_channel', banned: 'banned' }
export const moderator = { ...gone, demoted: 'not_authorized', 'no moderator any more': 'not_authorized', banned: 'not_authorized' }
export const admin = { ...gone, demoted: 'not_authorized' }

/** The error codes that refuse a command after each change, by the right that the command requires. */
const refusalsOf: Record<Exclude<Who, 'anyone'>, Refusals> = {
  user: gone,
  'registered user': gone,
  'creator or admin': admin,
  moderator,
  'moderator not below the target': moderator,
  member: { ...member, demoted: 'not_authorized' },
  author: { ...member, demoted: 'not_authorized' },
  admin,
  'member except the author': { ...member, demoted: 'not_authorized' },
  'author, or moderator not below them': { ...gone, demoted: 'not_authorized', banned: 'banned' }
}

/** A command with the fields that it has in a scene. */
interface CommandWrite { name: string, row: CommandRow, fields (scene: Scene): Record<string, unknown>, refusals: Refusals }

/** Every command of the table. `create_channel` asks for a channel of type `admin`, which only admins may create. */
export const commandWrites: CommandWrite[] = Object.entries(commands).map(([name, row]) => ({
  name,
  row,
  fields: ({ room, target, message, theirs }) => {
    const values = {
      channel: room,
      user_id: target,
      id: row.who === 'member except the author' ? theirs : message,
      message: 'y',
      topic: 'z',
      reaction: '👍',
      name: `admin-${randomUUID()}`,
      ...name === 'create_channel' && { channel_type: 'admin' }
    }
    return Object.fromEntries(Object.entries(values).filter(([field]) => field in row.fields))
  },
  refusals: name === 'create_channel' ? admin : refusalsOf[row.who as keyof typeof refusalsOf]
}))

export const changesOf = (refusals: Refusals): Array<[Change, string]> => Object.entries(refusals) as Array<[Change, string]>

export type Scene = Awaited<ReturnType<ReturnType<typeof createScenes>>>

/**
 * Creates scenes with everything that a write needs: an actor who is a member of `room` and has a message there, a target in `room` with a
 * message (`theirs`) and an open report of it, the channel `other`, which the actor may join, an invitation code, and codes of the actor's
 * account, and a connection of somebody else. Where the change takes something from an admin, the actor is an admin and the channels have
 * the type `admin`; otherwise the actor is a user who moderates the public `room`.
 */
export function createScenes (server: Server) {
  let connection: Promise<string> | undefined
  return async (change: Change) => {
    const isAdmin = ['disabled', 'erased', 'logged out', 'demoted'].includes(change)
    const actor = await server.register('actor')
    const codes = { mailed_reset: randomUUID(), verification: randomUUID() }
    const values = [actor.user.id, isAdmin, hashOf(codes.mailed_reset), hashOf(codes.verification), randomBytes(32)]
    const [scene] = await server.database.query<SceneRow>(SCENE, values)
    connection ??= openConnection(server)
    return { actor, codes, ...scene!, connection: await connection }
  }
}

/** The names of the channels and the ids of everything else in a scene. */
type SceneRow = Record<'room' | 'other' | 'target' | 'message' | 'theirs' | 'report' | 'invitationCode', string>

/**
 * Writes the rows of a scene in one statement, because tests make hundreds of scenes. `$1` is the actor's id, `$2` whether they are an
 * admin, `$3` and `$4` are the hashes of their codes, and `$5` is the hash of the invitation code.
 */
const SCENE = `
  WITH ids AS MATERIALIZED (
    SELECT $1::uuid AS actor, parley_new_id() AS target, parley_new_id() AS reporter, parley_new_id() AS room, parley_new_id() AS other,
      parley_new_id() AS message, parley_new_id() AS theirs, parley_new_id() AS report, parley_new_id() AS code,
      now() + interval '1 hour' AS later
  ), people AS (
    INSERT INTO "User" (id, email, name, "passwordHash")
    SELECT p.id, p.id || '@example.org', p.name, u."passwordHash"
    FROM ids, "User" u, LATERAL (VALUES (target, 'target'), (reporter, 'reporter')) p (id, name) WHERE u.id = actor
  ), promotion AS (
    UPDATE "User" SET role = 'admin' WHERE id = $1 AND $2
  ), channels AS (
    INSERT INTO "Channel" (id, name, "channelType", "userCount", "lastSeq")
    SELECT c.id, 'c-' || c.id, CASE WHEN $2 THEN 'admin' ELSE 'public' END::"ChannelType", c.entries, c.entries
    FROM ids, LATERAL (VALUES (room, 2), (other, 0)) c (id, entries)
  ), members AS (
    INSERT INTO "ChannelUser" ("channelId", "userId", "readSeq")
    SELECT room, m.id, 0 FROM ids, LATERAL (VALUES (actor), (target)) m (id)
  ), moderators AS (
    INSERT INTO "ChannelModerator" ("channelId", "userId") SELECT room, actor FROM ids WHERE NOT $2
  ), messages AS (
    INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT room, m.seq, m.id, m.author, 'x', now() FROM ids, LATERAL (VALUES (1, message, actor), (2, theirs, target)) m (seq, id, author)
  ), reports AS (
    INSERT INTO "Report" (id, "channelId", "channelName", "messageId", seq, "authorId", content, "sentAt", "reporterId", "createdAt")
    SELECT report, room, 'c-' || room, theirs, 2, target, 'x', now(), reporter, now() FROM ids
  ), account_codes AS (
    INSERT INTO "AccountCode" ("userId", kind, "codeHash", "expiresAt")
    SELECT actor, c.kind::"CodeKind", c.hash, later
    FROM ids, (VALUES ('mailed_reset', $3::bytea), ('verification', $4::bytea)) c (kind, hash)
  ), invitation_codes AS (
    INSERT INTO "InvitationCode" (id, "codeHash", uses, "usesLeft", "expiresAt", "createdBy")
    SELECT code, $5, 1, 1, later, target FROM ids
  )
  SELECT 'c-' || room AS room, 'c-' || other AS other, target, message, theirs, report, code AS "invitationCode" FROM ids`

/** @returns the id of an authenticated connection. */
async function openConnection (server: Server): Promise<string> {
  const client = server.open()
  const { connection_id: id } = await client.expect('welcome')
  await client.request({ type: 'authenticate', token: (await server.register('witness')).access_token })
  return id
}

const roomsOf = (sql: string): string => `SELECT ${sql} FROM "Channel" c WHERE c.name = ANY ($2)`

/** The SQL statement for each change. `$1` is the actor's id, `$2` holds the names of `room` and `other`. */
const statements: Record<Change, string> = {
  disabled: 'SELECT parley_set_disabled(NULL, $1, true, gen_random_uuid()), $2::text[]',
  erased: 'SELECT parley_erase_user(NULL, $1, gen_random_uuid()), $2::text[]',
  'logged out': 'SELECT parley_end_login(t."familyId"), $2::text[] FROM "RefreshToken" t WHERE t."userId" = $1',
  demoted: 'SELECT parley_set_role(NULL, $1, \'user\', gen_random_uuid()), $2::text[]',
  'no moderator any more': `DELETE FROM "ChannelModerator" m USING (${roomsOf('c.id')}) r WHERE m."channelId" = r.id AND m."userId" = $1`,
  kicked: roomsOf('parley_end_membership(c.id, $1)'),
  banned: `INSERT INTO "ChannelBan" ("channelId", "userId", "bannedBy") ${roomsOf('c.id, $1, $1')}`
}

/** Opens a connection to the server's database that makes changes while a write of the server waits for a lock. */
export async function createRival (t: Scope, server: Server) {
  const rival = new pg.Client(server.databaseUrl)
  await rival.connect()
  t.teardown(() => rival.end())

  /** Returns a number that every transaction which begins to write from now on reaches or exceeds. */
  async function now (): Promise<string> {
    return (await rival.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid')).rows[0].xid
  }

  /**
   * Hashes the rows that transactions since `since` have written, and how many rows each table has: if two hashes are the same, such
   * transactions have written nothing in between. So a hash costs no more when the tables grow. Positions of readers are left out, because
   * those of earlier requests are written later, in the background [P43]; therefore all rows of their table are hashed. Entries of deleted
   * channels are left out too, because the server deletes them in the background, each minute.
   */
  async function fingerprint (since: string): Promise<string> {
    const rows = tables.map(table => {
      const from = `FROM "${table}" x WHERE ${entries.includes(table) ? 'x."channelId" IN (SELECT id FROM "Channel")' : 'true'}`
      return `SELECT (to_jsonb(x) - 'readSeq')::text AS row ${from} ${table === 'ChannelUser' ? '' : 'AND x.xmin::text::bigint >= $1'}
        UNION ALL SELECT '${table} ' || count(*) ${from}`
    })
    const text = `SELECT md5(string_agg(row, '|' ORDER BY row)) AS all FROM (${rows.join(' UNION ALL ')}) r`
    return (await rival.query(text, [since])).rows[0].all
  }

  return {
    /** Looks at everything that is stored. @returns a function that says whether a later transaction has written anything. */
    async watch (): Promise<() => Promise<boolean>> {
      const since = await now()
      const before = await fingerprint(since)
      return async () => await fingerprint(since) !== before
    },

    /**
     * Locks the actor and the channels, makes the change, calls `ask`, and commits the change once the request waits for a lock.
     * @returns the answer to the request, and whether it wrote anything.
     */
    async overtake<T> (change: Change, { actor, room, other }: Scene, ask: () => Promise<T>): Promise<{ answer: T, wrote: boolean }> {
      await rival.query('BEGIN')
      await rival.query('SELECT FROM "User" WHERE id = $1 FOR NO KEY UPDATE', [actor.user.id])
      await rival.query('SELECT FROM "Channel" WHERE name = ANY ($1) ORDER BY id FOR UPDATE', [[room, other]])
      await rival.query(statements[change], [actor.user.id, [room, other]])
      const since = await now()
      const answer = ask()
      try {
        await eventually(async () => await countLockWaiters(rival) === 1)
      } catch (error) {
        // The locks would make every later test fail as well.
        await rival.query('ROLLBACK')
        throw error
      }
      const before = await fingerprint(since)
      await rival.query('COMMIT')
      return { answer: await answer, wrote: await fingerprint(since) !== before }
    }
  }
}

const tables = [
  'User', 'RefreshToken', 'Channel', 'ChannelUser', 'ChannelInvite', 'ChannelModerator', 'ChannelBan', 'ChannelMute', 'Message',
  'MessageChange', 'Reaction', 'ModerationLog', 'InvitationCode', 'AccountCode', 'Report', 'DirectPeer', 'UserBlock'
]
/** The tables of the entries of channels. */
const entries = ['Message', 'MessageChange', 'Reaction']
