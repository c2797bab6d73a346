import { Prisma } from '../generated/prisma/client.ts'
import { NO_DATA } from '../schemas/message.ts'
import { NIL } from './channels.ts'

/**
 * What one kind of line of an export is made of [P71]. `read` returns the page after a key as a statement: `key` orders the rows, `mine` is
 * false for a row that only says how far the page went, and the other columns are the fields of a line. `user` is the person's id.
 */
export interface ExportSection {
  /** The `type` of the lines. */
  type: string
  /** The columns with users' ids that the section looks for the person in. */
  columns: string[]
  read (user: Prisma.Sql, after: string | null): Prisma.Sql
  toRow? (row: Record<string, unknown>): Record<string, unknown>
}

/** Rows that one statement reads at most, and bytes of text after which it ends. */
const PAGE = 1000
const PAGE_BYTES = 1_048_576

/** A section of rows that an index finds by the person's id. `id` is an id by which their rows are told apart, as SQL. */
function found (id: string, fields: string, tables: string, isTheirs: (user: Prisma.Sql) => Prisma.Sql): ExportSection['read'] {
  return (user, after) => Prisma.sql`
    SELECT ${Prisma.raw(id)}::text AS key, true AS mine, ${Prisma.raw(fields)} FROM ${Prisma.raw(tables)}
    WHERE ${isTheirs(user)} AND ${Prisma.raw(id)} > ${after ?? NIL}::uuid ORDER BY ${Prisma.raw(id)} LIMIT ${PAGE}`
}

/** A section of entries that no index finds by the person's id, because it would slow writing. It reads all entries, some at a time. */
function scanned (table: string, fields: string): ExportSection['read'] {
  return (user, after) => {
    const [channel, seq] = (after ?? `${NIL} 0`).split(' ') as [string, string]
    return Prisma.sql`
      SELECT w."channelId" || ' ' || lpad(w.seq::text, 19, '0') AS key, w.mine, ${Prisma.raw(fields)}, w."messageId" AS message_id, w.seq,
        w."channelId" AS channel_id, w."createdAt" AS created_at
      FROM (
        SELECT m.*, m."userId" = ${user} AS mine, lead(m.seq) OVER (ORDER BY m."channelId", m.seq) IS NULL AS last
        FROM (SELECT * FROM ${Prisma.raw(table)} WHERE ("channelId", seq) > (${channel}::uuid, ${seq}::bigint)
          ORDER BY "channelId", seq LIMIT ${PAGE}) m
      ) w WHERE w.mine OR w.last`
  }
}

const column = (name: string) => (user: Prisma.Sql) => Prisma.sql`${Prisma.raw(name)} = ${user}`

/** Everything that is kept of a person, in the order of an export. A further table with users' ids is one more entry here. */
export const exportSections: ExportSection[] = [
  {
    type: 'profile',
    columns: ['User.id'],
    read: found('p.id', `p.id, p.email, p."emailVerifiedAt" AS email_verified_at, p.name, p.handle,
      p."handleChanges" AS handle_changes, p.role::text AS role, p."createdAt" AS created_at, p."changedAt" AS changed_at,
      p.disconnects, p."creationsRefilledAt" AS creations_refilled_at`, '"User" p', column('p.id'))
  },
  {
    type: 'login',
    columns: ['RefreshToken.userId'],
    read: found('t.id', `t."familyId" AS login_id, t.device, t.network AS address, t."createdAt" AS created_at, t."usedAt" AS used_at,
      t."revokedAt" AS revoked_at, t."expiresAt" AS expires_at`, '"RefreshToken" t', column('t."userId"'))
  },
  {
    type: 'former_handle',
    columns: ['FormerHandle.userId'],
    // Only a hash of the handle is kept.
    read: (user, after) => Prisma.sql`
      SELECT encode(f.hash, 'hex') AS key, true AS mine, encode(f.hash, 'hex') AS hash FROM "FormerHandle" f
      WHERE f."userId" = ${user} AND f.hash > decode(${after ?? ''}, 'hex') ORDER BY f.hash LIMIT ${PAGE}`
  },
  {
    type: 'account_code',
    columns: ['AccountCode.userId'],
    read: (user, after) => Prisma.sql`
      SELECT o.kind::text AS key, true AS mine, o.kind::text AS kind, o."expiresAt" AS expires_at FROM "AccountCode" o
      WHERE o."userId" = ${user} AND o.kind::text > ${after ?? ''} ORDER BY o.kind::text LIMIT ${PAGE}`
  },
  {
    type: 'membership',
    columns: ['ChannelUser.userId'],
    read: found('m."channelId"', `c.name AS channel, c.id AS channel_id, m."joinedAt" AS joined_at,
      coalesce(m."readSeq", parley_read_start(c.id)) AS read_seq`,
    '"ChannelUser" m JOIN "Channel" c ON c.id = m."channelId"', column('m."userId"'))
  },
  {
    type: 'invitation',
    columns: ['ChannelInvite.userId'],
    read: found('i."channelId"', 'c.name AS channel, c.id AS channel_id, i."invitedBy" AS invited_by, i."createdAt" AS created_at',
      '"ChannelInvite" i JOIN "Channel" c ON c.id = i."channelId"', column('i."userId"'))
  },
  {
    type: 'moderator',
    columns: ['ChannelModerator.userId'],
    read: found('m."channelId"', 'c.name AS channel, c.id AS channel_id, m."createdAt" AS created_at',
      '"ChannelModerator" m JOIN "Channel" c ON c.id = m."channelId"', column('m."userId"'))
  },
  {
    type: 'ban',
    columns: ['ChannelBan.userId'],
    // A ban or mute that the person was not told of [P57] stays hidden here, too.
    read: found('b."channelId"',
      'c.name AS channel, c.id AS channel_id, b.reason, b."expiresAt" AS expires_at, b."createdAt" AS created_at',
      '"ChannelBan" b JOIN "Channel" c ON c.id = b."channelId"', user => Prisma.sql`b."userId" = ${user} AND b.told > 0`)
  },
  {
    type: 'mute',
    columns: ['ChannelMute.userId'],
    read: found('b."channelId"', 'c.name AS channel, c.id AS channel_id, b."expiresAt" AS expires_at, b."createdAt" AS created_at',
      '"ChannelMute" b JOIN "Channel" c ON c.id = b."channelId"', user => Prisma.sql`b."userId" = ${user} AND b.told`)
  },
  {
    type: 'channel_created',
    columns: ['Channel.createdBy'],
    read: found('c.id', 'c.name AS channel, c.id AS channel_id, c."createdAt" AS created_at', '"Channel" c', column('c."createdBy"'))
  },
  {
    type: 'invitation_code',
    columns: ['InvitationCode.createdBy'],
    read: found('i.id', 'i.id, i.uses, i."usesLeft" AS uses_left, i."expiresAt" AS expires_at, i."createdAt" AS created_at',
      '"InvitationCode" i', column('i."createdBy"'))
  },
  {
    type: 'direct',
    columns: ['DirectPeer.userId'],
    read: found('p."channelId"', 'c.name AS channel, c.id AS channel_id, p."peerId" AS peer_id',
      '"DirectPeer" p JOIN "Channel" c ON c.id = p."channelId"', column('p."userId"'))
  },
  {
    type: 'block',
    columns: ['UserBlock.userId'],
    read: found('b."blockedId"', 'b."blockedId" AS user_id, b."createdAt" AS created_at', '"UserBlock" b', column('b."userId"'))
  },
  {
    type: 'report',
    columns: ['Report.reporterId'],
    // The reported text belongs to somebody else.
    read: found('r.id', `r.id, r."channelName" AS channel, r."channelId" AS channel_id, r."messageId" AS message_id, r.reason,
      r."createdAt" AS created_at, r.resolution::text AS resolution, r."settledAt" AS settled_at`, '"Report" r', column('r."reporterId"'))
  },
  {
    type: 'last_send',
    columns: ['LastSend.userId'],
    read: found('s."channelId"', 's."channelId" AS channel_id, s."sentAt" AS sent_at', '"LastSend" s', column('s."userId"'))
  },
  {
    type: 'message',
    columns: ['Message.userId'],
    // No index leads from a person to their messages, because it would slow publishing. So this reads all messages, some at a time.
    read: (user, after) => Prisma.sql`
      SELECT w.id::text AS key, w.mine, w.id, w.seq, c.name AS channel, w."channelId" AS channel_id, w.content AS message, w.data,
        w."clientId" AS client_id, w."replyTo" AS reply_to, w."createdAt" AS created_at, w."editedAt" AS edited_at,
        w."deletedAt" AS deleted_at
      FROM (
        SELECT m.*, m."userId" = ${user} AS mine, lead(m.id) OVER (ORDER BY m.id) IS NULL AS last,
          sum(CASE WHEN m."userId" = ${user} THEN coalesce(octet_length(m.content), 0) + coalesce(octet_length(m.data), 0) END)
            OVER (ORDER BY m.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes
        FROM (SELECT * FROM "Message" WHERE id > ${after ?? NIL}::uuid ORDER BY id LIMIT ${PAGE}) m
      ) w LEFT JOIN "Channel" c ON c.id = w."channelId"
      WHERE coalesce(w.bytes, 0) < ${PAGE_BYTES} AND (w.mine OR w.last)`,
    toRow: ({ data, ...row }) => ({ ...row, ...typeof data === 'string' && data !== NO_DATA && { data: JSON.parse(data) as unknown } })
  },
  {
    type: 'message_change',
    columns: ['MessageChange.userId'],
    read: scanned('"MessageChange"', 'w.kind::text AS kind')
  },
  {
    type: 'reaction',
    columns: ['Reaction.userId'],
    read: scanned('"Reaction"', 'w.reaction, w.added')
  },
  {
    type: 'log',
    columns: ['ModerationLog.actorId', 'ModerationLog.targetId'],
    // Others are not named: who moderates is theirs to tell.
    read: (user, after) => Prisma.sql`
      SELECT w.id::text AS key, w.mine, w.action, w.by_me, CASE WHEN w.by_me THEN w."targetId" END AS target_id, w.about_me,
        w."channelName" AS channel, w."channelId" AS channel_id, w.reason, w."expiresAt" AS expires_at, w."createdAt" AS created_at
      FROM (
        SELECT l.*, lead(l.id) OVER (ORDER BY l.id) IS NULL AS last, l."actorId" IS NOT DISTINCT FROM ${user} AS by_me,
          l."targetId" IS NOT DISTINCT FROM ${user} AS about_me,
          l."actorId" IS NOT DISTINCT FROM ${user} OR (l."targetId" IS NOT DISTINCT FROM ${user} AND NOT (CASE l.action
            WHEN 'ban_user' THEN EXISTS (SELECT FROM "ChannelBan" b
              WHERE b."channelId" = l."channelId" AND b."userId" = ${user} AND b.told = 0)
            WHEN 'mute_user' THEN EXISTS (SELECT FROM "ChannelMute" b
              WHERE b."channelId" = l."channelId" AND b."userId" = ${user} AND NOT b.told)
            ELSE false END)) AS mine
        FROM (SELECT * FROM "ModerationLog" WHERE id > ${after ?? NIL}::uuid ORDER BY id LIMIT ${PAGE}) l
      ) w WHERE w.mine OR w.last`
  }
]

/** Columns with users' ids that no section looks in, each with the reason. */
export const unexportedColumns: Record<string, string> = {
  'DirectPeer.peerId': 'The other user of the channel has a row of their own.',
  'Report.authorId': 'That somebody reported a message is theirs to tell. The message itself is in the export.',
  'Report.settledBy': 'That somebody settled a report is a line of the log about the acting person.',
  'UserBlock.blockedId': 'That somebody blocks the person is theirs to tell.',
  'ChannelInvite.invitedBy': 'The row is about the invited person. That somebody invited is a line of the log about the acting person.',
  'ChannelBan.bannedBy': 'The row is about the banned person. That somebody banned is a line of the log about the acting person.',
  'ChannelMute.mutedBy': 'The row is about the muted person. That somebody muted is a line of the log about the acting person.'
}
