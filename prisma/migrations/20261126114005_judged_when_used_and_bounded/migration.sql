-- CreateTable
CREATE TABLE "DeletedChannel" (
    "id" UUID NOT NULL,
    "deletedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "DeletedChannel_pkey" PRIMARY KEY ("id")
);

-- Channels that were deleted before, as far as their messages are still there: a walk along the primary keys from one channel to the
-- next, some microseconds each, and no lock that anyone waits for. It comes first: what follows locks tables until the end. (If an
-- instance of the release before deletes a channel in these very seconds, the messages stay. Nobody can see them.)
SET LOCAL statement_timeout = 0;
WITH RECURSIVE stored AS (
  SELECT least(
    (SELECT m."channelId" FROM "Message" m ORDER BY m."channelId" LIMIT 1),
    (SELECT x."channelId" FROM "MessageChange" x ORDER BY x."channelId" LIMIT 1)) AS id
  UNION ALL
  SELECT least(
    (SELECT m."channelId" FROM "Message" m WHERE m."channelId" > s.id ORDER BY m."channelId" LIMIT 1),
    (SELECT x."channelId" FROM "MessageChange" x WHERE x."channelId" > s.id ORDER BY x."channelId" LIMIT 1))
  FROM stored s WHERE s.id IS NOT NULL
)
INSERT INTO "DeletedChannel" (id)
  SELECT s.id FROM stored s WHERE s.id IS NOT NULL AND NOT EXISTS (SELECT FROM "Channel" c WHERE c.id = s.id);

-- DropIndex
DROP INDEX "RefreshToken_familyId_idx";

-- AlterTable
ALTER TABLE "ChannelBan" ADD COLUMN     "told" SMALLINT NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "ChannelMute" ADD COLUMN     "told" BOOLEAN NOT NULL DEFAULT true;

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "creationsRefilledAt" TIMESTAMPTZ(6),
ADD COLUMN     "loginsEndedUpTo" TIMESTAMPTZ(3),
ADD COLUMN     "loginsEndedUpToId" UUID;

-- CreateIndex
CREATE INDEX "Channel_channelType_name_idx" ON "Channel"("channelType", "name");

-- CreateIndex
CREATE INDEX "Channel_createdBy_idx" ON "Channel"("createdBy");

-- CreateIndex
CREATE INDEX "ModerationLog_targetId_action_createdAt_idx" ON "ModerationLog"("targetId", "action", "createdAt");

-- CreateIndex
CREATE INDEX "ModerationLog_createdAt_idx" ON "ModerationLog"("createdAt");

-- CreateIndex
CREATE INDEX "RefreshToken_familyId_expiresAt_idx" ON "RefreshToken"("familyId", "expiresAt");

-- CreateIndex
CREATE INDEX "RefreshToken_familyId_unused_idx" ON "RefreshToken"("familyId") WHERE ("usedAt" IS NULL AND "revokedAt" IS NULL);

-- CreateIndex
CREATE INDEX "RefreshToken_familyId_revoked_idx" ON "RefreshToken"("familyId") WHERE ("revokedAt" IS NOT NULL);

-- CreateIndex
CREATE INDEX "RefreshToken_userId_unused_idx" ON "RefreshToken"("userId", "createdAt", "id") WHERE ("usedAt" IS NULL AND "revokedAt" IS NULL);

-- CreateIndex
CREATE INDEX "User_role_idx" ON "User"("role") WHERE (role = 'admin');

-- CreateIndex
CREATE INDEX "User_gone_idx" ON "User"("disabledAt") WHERE (email IS NULL);

-- [P55] The user who acts, as they are now: all null where they are gone or disabled, or the login they act by has ended.
-- Call it in a statement of its own after those that take the locks, so that it sees what committed while they waited.
CREATE OR REPLACE FUNCTION parley_actor(user_id uuid, login uuid) RETURNS "User" LANGUAGE plpgsql STABLE AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = user_id AND u."disabledAt" IS NULL AND parley_login_is_live(u, login);
  RETURN us;
END $$;

-- An admin, a moderator of this channel, or a moderator by role in a channel of that type: as long as their role lets them be
-- in the channel at all [P15] and no ban keeps them out of it [P55], and never a guest [P16].
CREATE OR REPLACE FUNCTION parley_can_moderate(us "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT us.role = 'admin' OR (us.email IS NOT NULL AND parley_role_fits(us.role, ch."channelType") AND (
    (us.role = 'moderator' AND ch."channelType" = 'moderator')
    OR EXISTS (SELECT FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = us.id))
    AND NOT EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = us.id
      AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp())))
$$;

-- [P34] Edits and deletions, each an entry of its channel's sequence.
-- batch: [{n: channel name, u: user id, s: login, i: message id, m: new text, or null to delete, l: id for the log}, …]
-- One row per change, in order: a code, or the entry's channel, seq, time and the message's author.
CREATE OR REPLACE FUNCTION parley_change(batch json)
RETURNS TABLE (code text, channel_id uuid, seq bigint, created_at timestamptz, author_id uuid, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  item record;
  us "User";
  author "User";
  ch "Channel";
  msg "Message";
  muted_until timestamptz;
  at timestamptz;
BEGIN
  PERFORM FROM "User" u WHERE u.id = ANY (ARRAY(SELECT (b ->> 'u')::uuid FROM json_array_elements(batch) b)) ORDER BY u.id FOR SHARE;
  PERFORM FROM "Channel" c WHERE c.name = ANY (ARRAY(SELECT b ->> 'n' FROM json_array_elements(batch) b)) ORDER BY c.id FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  FOR item IN
    SELECT b.* FROM ROWS FROM (json_to_recordset(batch) AS (n text, u uuid, s uuid, i uuid, m text, l uuid)) WITH ORDINALITY AS b (n, u, s, i, m, l, ord) ORDER BY b.ord
  LOOP
    us := parley_actor(item.u, item.s);
    SELECT * INTO ch FROM "Channel" c WHERE c.name = item.n;
    SELECT * INTO msg FROM "Message" x WHERE x.id = item.i AND x."channelId" = ch.id AND x."deletedAt" IS NULL;
    SELECT * INTO author FROM "User" u WHERE u.id = msg."userId";
    muted_until := (SELECT x."expiresAt" FROM "ChannelMute" x WHERE x."channelId" = ch.id AND x."userId" = us.id AND x."expiresAt" > at);
    code := CASE
      WHEN us.id IS NULL THEN 'authentication_failed'
      WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
      WHEN us.email IS NULL OR NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
      WHEN msg.id IS NULL THEN 'message_not_found'
      WHEN msg."userId" <> us.id AND (item.m IS NOT NULL OR NOT parley_can_moderate(us, ch) OR NOT parley_outranks(us, author, ch)) THEN 'not_authorized'
      WHEN (item.m IS NOT NULL OR us.role <> 'admin') AND EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id AND (x."expiresAt" IS NULL OR x."expiresAt" > at)) THEN 'banned'
      WHEN item.m IS NULL THEN NULL
      WHEN NOT EXISTS (SELECT FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = us.id) THEN 'not_in_channel'
      WHEN muted_until IS NOT NULL THEN 'muted'
    END;
    channel_id := ch.id; seq := NULL; created_at := at; author_id := msg."userId"; retry_after_ms := NULL;
    IF code = 'muted' THEN retry_after_ms := ceil(extract(epoch FROM muted_until - at) * 1000)::bigint; END IF;
    IF code IS NULL THEN
      UPDATE "Channel" c SET "lastSeq" = c."lastSeq" + 1 WHERE c.id = ch.id RETURNING c."lastSeq" INTO seq;
      INSERT INTO "MessageChange" ("channelId", seq, "messageId", kind, "userId", "createdAt")
        VALUES (ch.id, seq, msg.id, CASE WHEN item.m IS NULL THEN 'deleted'::"ChangeKind" ELSE 'edited' END, us.id, at);
      IF item.m IS NULL THEN
        UPDATE "Message" x SET content = NULL, "deletedAt" = at WHERE x."channelId" = ch.id AND x.seq = msg.seq;
        IF msg."userId" <> us.id THEN PERFORM parley_log(us.id, 'delete_message', msg."userId", ch, NULL, NULL, item.l); END IF;
      ELSE
        UPDATE "Message" x SET content = item.m, "editedAt" = at WHERE x."channelId" = ch.id AND x.seq = msg.seq;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

-- Replaces the hash of the user who acts, where it still is the one that they have just proved to know, and ends all logins but `login`,
-- which counts as used. `code` says why not; `ended` is as parley_end_logins returns it.
CREATE OR REPLACE FUNCTION parley_change_password(user_id uuid, login uuid, old_hash text, new_hash text)
RETURNS TABLE (code text, ended uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN us."passwordHash" IS DISTINCT FROM old_hash THEN 'not_authorized'
  END;
  IF code IS NULL THEN
    UPDATE "User" u SET "passwordHash" = new_hash WHERE u.id = us.id;
    UPDATE "RefreshToken" t SET "createdAt" = parley_login_time(us)
      WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
    ended := ARRAY(SELECT parley_end_logins(us.id, 1));
  END IF;
  RETURN NEXT;
END $$;

-- [P58] Counts a channel that the user has made. The user keeps the count: deleting the channel gives nothing back.
CREATE OR REPLACE FUNCTION parley_count_creation(maker uuid, a_minute int) RETURNS void LANGUAGE sql VOLATILE AS $$
  UPDATE "User" u SET "creationsRefilledAt" = greatest(u."creationsRefilledAt", clock_timestamp()) + interval '1 minute' / nullif(a_minute, 0)
  WHERE u.id = maker AND a_minute > 0
$$;

-- Makes a channel, its creator a member and its first moderator. A cap of 0 is none.
DROP FUNCTION IF EXISTS parley_create_channel(uuid, uuid, text, "ChannelType", int);
CREATE OR REPLACE FUNCTION parley_create_channel(user_id uuid, id uuid, channel_name text, new_type "ChannelType", max_channels int,
  max_created int DEFAULT 0, created_a_minute int DEFAULT 0, login uuid DEFAULT NULL)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  refusal text;
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  refusal := parley_judge_type(us, channel_name, new_type);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  IF EXISTS (SELECT FROM "Channel" c WHERE c.name = channel_name) THEN RETURN 'channel_exists'; END IF;
  IF max_channels > 0 AND (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = us.id) >= max_channels THEN RETURN 'too_many_channels'; END IF;
  refusal := parley_judge_creation(us, max_created, created_a_minute);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  INSERT INTO "Channel" (id, name, "channelType", "createdBy", "userCount") VALUES (id, channel_name, new_type, us.id, 1)
    ON CONFLICT (name) DO NOTHING;
  IF NOT FOUND THEN RETURN 'channel_exists'; END IF;
  INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (id, us.id);
  INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (id, us.id);
  PERFORM parley_count_creation(us.id, created_a_minute);
  RETURN NULL;
END $$;

-- [P58] Milliseconds until this user may make another channel; 0: now. `a_minute`: how many a minute allows, at once too; 0 is no limit.
CREATE OR REPLACE FUNCTION parley_creation_wait(us "User", a_minute int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  -- Rounded: what a sum of fractions is off by must refuse nothing.
  SELECT greatest(0, round(1000 * extract(epoch FROM greatest(us."creationsRefilledAt" - clock_timestamp(), interval '0')
    + interval '1 minute' / nullif(a_minute, 0) - interval '1 minute')))::bigint
$$;

-- [P57] Ends the user's invitation to a channel. Null, also where there was none, or the code that says why not.
CREATE OR REPLACE FUNCTION parley_decline_invitation(user_id uuid, channel_name text, login uuid) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  IF us.id IS NULL THEN RETURN 'authentication_failed'; END IF;
  IF ch.id IS NULL OR NOT parley_sees(us, ch) THEN RETURN 'channel_not_found'; END IF;
  IF us.email IS NULL THEN RETURN 'not_authorized'; END IF;
  DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = us.id;
  RETURN NULL;
END $$;

-- [P24] Deletes a channel; its messages are left to parley_purge_messages.
DROP FUNCTION IF EXISTS parley_delete_channel(uuid, text);
CREATE OR REPLACE FUNCTION parley_delete_channel(user_id uuid, channel_name text, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN NOT parley_owns(us, ch) THEN 'not_authorized'
  END;
  channel_id := ch.id;
  IF code IS NULL THEN
    DELETE FROM "Channel" c WHERE c.id = ch.id;
    INSERT INTO "DeletedChannel" (id) VALUES (ch.id);
  END IF;
  RETURN NEXT;
END $$;

-- Ends one login. False where there was nothing to end. The user's lock makes it wait for what they are changing by it.
CREATE OR REPLACE FUNCTION parley_end_login(login uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT t."userId" FROM "RefreshToken" t WHERE t."familyId" = login LIMIT 1) FOR NO KEY UPDATE;
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
  RETURN FOUND;
END $$;

-- Ends all logins of the user but the `spared` most recently used ones; returns up to a thousand of those ended. The caller has locked
-- the user `FOR NO KEY UPDATE`. A thousand tokens are revoked; where there are more, the mark on the user ends them all without
-- touching them.
CREATE OR REPLACE FUNCTION parley_end_logins(target_id uuid, spared int) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  most CONSTANT int := 1000;
  us "User";
  newest "RefreshToken";
  ended int;
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = target_id;
  SELECT * INTO newest FROM "RefreshToken" t
    WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
      AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId"))
    ORDER BY t."createdAt" DESC, t.id DESC OFFSET spared LIMIT 1;
  IF newest.id IS NULL THEN RETURN; END IF;
  RETURN QUERY
    UPDATE "RefreshToken" r SET "revokedAt" = clock_timestamp() WHERE r.id IN (
      SELECT t.id FROM "RefreshToken" t
      WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND (t."createdAt", t.id) <= (newest."createdAt", newest.id)
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId"))
      ORDER BY t."createdAt" DESC, t.id DESC LIMIT most)
    RETURNING r."familyId";
  GET DIAGNOSTICS ended = ROW_COUNT;
  IF ended = most THEN
    UPDATE "User" u SET "loginsEndedUpTo" = newest."createdAt", "loginsEndedUpToId" = newest.id WHERE u.id = us.id;
  END IF;
END $$;

-- Erases an account: disabled, in no channel, without email, name and hash, its logins revoked. What it wrote stays.
-- `actor_id` is null where the users do it themselves; `login` is of whoever acts.
DROP FUNCTION IF EXISTS parley_erase_user(uuid, uuid, uuid);
CREATE OR REPLACE FUNCTION parley_erase_user(actor_id uuid, target_id uuid, log_id uuid, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  target "User";
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  us := parley_actor(coalesce(actor_id, target_id), login);
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN actor_id IS NOT NULL AND us.role <> 'admin' THEN 'not_authorized'
    WHEN target.id IS NULL THEN 'user_not_found'
    WHEN actor_id = target_id THEN 'not_authorized'
    WHEN parley_is_last_admin(target) THEN 'last_admin'
  END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, true) e;
  DELETE FROM "ChannelInvite" i WHERE i."userId" = target_id;
  DELETE FROM "ChannelModerator" m WHERE m."userId" = target_id;
  PERFORM parley_end_logins(target_id, 0);
  UPDATE "User" u SET email = NULL, name = 'deleted user', "passwordHash" = NULL, role = 'user', "disabledAt" = coalesce(u."disabledAt", clock_timestamp())
    WHERE u.id = target_id;
  PERFORM parley_log(coalesce(actor_id, target_id), 'erase_user', target_id, nowhere, NULL, NULL, log_id);
END $$;

-- [P57] Invites `target` to a channel. `effect` false: nothing changed, because they are a member or invited already, or because of
-- `code`. For parley_moderate, which holds the locks of the target and the channel. `max_pending`: invitations that one user may have;
-- `a_minute`: how many one user may get within a minute. One inviter may use a quarter of either. 0 is no limit.
CREATE OR REPLACE FUNCTION parley_invite(channel uuid, inviter uuid, target uuid, max_pending int, a_minute int, OUT code text, OUT effect boolean,
  OUT retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  at timestamptz := date_trunc('milliseconds', clock_timestamp());
  free_at timestamptz;
BEGIN
  effect := false;
  IF EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = channel AND m."userId" = target)
    OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = channel AND i."userId" = target) THEN RETURN; END IF;

  IF max_pending > 0 AND (
    SELECT count(*) >= max_pending OR count(*) FILTER (WHERE i."invitedBy" = inviter) >= ceil(max_pending / 4.0)
    FROM "ChannelInvite" i WHERE i."userId" = target) THEN
    code := 'too_many_invitations';
    RETURN;
  END IF;

  IF a_minute > 0 THEN
    -- The moderation log remembers invitations that were used, declined or taken back since. No more than `a_minute` of its lines are read.
    WITH recent AS MATERIALIZED (
      SELECT l."actorId", l."createdAt" + interval '1 minute' AS over_at FROM "ModerationLog" l
      WHERE l."targetId" = target AND l.action = 'invite_user' AND l."createdAt" > at - interval '1 minute'
      ORDER BY l."createdAt" DESC LIMIT a_minute
    )
    SELECT greatest(
      (SELECT r.over_at FROM recent r ORDER BY r.over_at DESC OFFSET a_minute - 1 LIMIT 1),
      (SELECT r.over_at FROM recent r WHERE r."actorId" = inviter ORDER BY r.over_at DESC OFFSET ceil(a_minute / 4.0)::int - 1 LIMIT 1)
    ) INTO free_at;
  END IF;
  IF free_at > at THEN
    code := 'rate_limited';
    retry_after_ms := ceil(extract(epoch FROM free_at - at) * 1000)::bigint;
    RETURN;
  END IF;

  INSERT INTO "ChannelInvite" ("channelId", "userId", "invitedBy", "createdAt") VALUES (channel, target, inviter, at);
  effect := true;
END $$;

-- [P55] Is nobody but this user an enabled admin? For functions that hold the user's lock and are about to end that. They wait for one
-- another until they have committed, so that no two of them count on each other's admin.
CREATE OR REPLACE FUNCTION parley_is_last_admin(target "User") RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF target.role <> 'admin' OR target."disabledAt" IS NOT NULL THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock(7275396);
  RETURN NOT EXISTS (SELECT FROM "User" u WHERE u.role = 'admin' AND u."disabledAt" IS NULL AND u.id <> target.id);
END $$;

-- [P18]–[P22] Makes users members of channels, by name.
-- batch: [{u: user id, s: login, n: channel name, i: id for the channel if it is to be made}, …]. A cap of 0 is none.
-- One row per join, in order: a code, or the channel as it was at that moment.
DROP FUNCTION IF EXISTS parley_join(json, int, int, text, boolean);
CREATE OR REPLACE FUNCTION parley_join(batch json, max_channels int, max_users int, default_room text, create_missing boolean,
  max_created int DEFAULT 0, created_a_minute int DEFAULT 0)
RETURNS TABLE (ord bigint, code text, channel_id uuid, channel_type text, last_seq bigint, acl_version bigint, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  todo bigint[];
  made uuid[];
  item record;
  ch "Channel";
  us "User";
BEGIN
  -- Members who come back, most joins by far, need no lock and write nothing. (LATERAL … LIMIT 1 here and below: one index probe each,
  -- whatever the planner believes of the tables' sizes.)
  FOR item IN
    SELECT b.ord, c.id, c."channelType", c."lastSeq", c."aclVersion",
      m.found IS NOT NULL AND x.found IS NULL AND parley_role_fits(u.role, c."channelType") AS member
    FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    LEFT JOIN LATERAL (
      SELECT o.id, o.role FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND parley_login_is_live(o, b.s) LIMIT 1) u ON true
    LEFT JOIN LATERAL (SELECT * FROM "Channel" o WHERE o.name = b.n LIMIT 1) c ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelUser" o WHERE o."channelId" = c.id AND o."userId" = u.id LIMIT 1) m ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" o WHERE o."channelId" = c.id AND o."userId" = u.id
      AND (o."expiresAt" IS NULL OR o."expiresAt" > clock_timestamp()) LIMIT 1) x ON true
  LOOP
    IF item.member THEN
      RETURN QUERY SELECT item.ord, NULL::text, item.id, item."channelType"::text, item."lastSeq", item."aclVersion", NULL::bigint;
    ELSE
      todo := todo || item.ord;
    END IF;
  END LOOP;
  IF todo IS NULL THEN RETURN; END IF;

  PERFORM FROM "User" u
    WHERE u.id = ANY (ARRAY(SELECT (b ->> 'u')::uuid FROM json_array_elements(batch) b)) ORDER BY u.id FOR NO KEY UPDATE;
  IF create_missing THEN
    -- In order of name: two batches that make the same channels must not wait for each other.
    WITH new AS (
      INSERT INTO "Channel" (id, name, "channelType")
      SELECT DISTINCT ON (b.n) b.i, b.n, coalesce(parley_type_of_name(b.n), 'public')
      FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
      CROSS JOIN LATERAL (
        SELECT o AS us FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND parley_login_is_live(o, b.s) LIMIT 1) u
      WHERE b.ord = ANY (todo) AND parley_role_fits((u.us).role, coalesce(parley_type_of_name(b.n), 'public'))
        AND (SELECT true FROM "Channel" c WHERE c.name = b.n LIMIT 1) IS NULL
        AND (max_channels = 0 OR b.n = default_room OR (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = b.u) < max_channels)
        AND (b.n = default_room OR parley_judge_creation(u.us, max_created, created_a_minute) IS NULL)
      ORDER BY b.n, b.ord
      ON CONFLICT (name) DO NOTHING RETURNING id
    ) SELECT array_agg(new.id) INTO made FROM new;
  END IF;
  PERFORM FROM "Channel" c
    WHERE c.name = ANY (ARRAY(SELECT b ->> 'n' FROM json_array_elements(batch) b)) ORDER BY c.id FOR NO KEY UPDATE;

  FOR item IN
    SELECT b.* FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    WHERE b.ord = ANY (todo) ORDER BY b.ord
  LOOP
    us := parley_actor(item.u, item.s);
    SELECT * INTO ch FROM "Channel" c WHERE c.name = item.n;
    ord := item.ord; channel_id := ch.id; channel_type := ch."channelType"; last_seq := ch."lastSeq"; acl_version := ch."aclVersion";
    code := CASE
      WHEN us.id IS NULL THEN 'authentication_failed'
      WHEN ch.id IS NULL THEN CASE
        WHEN NOT create_missing THEN 'channel_not_found'
        WHEN NOT parley_role_fits(us.role, coalesce(parley_type_of_name(item.n), 'public')) THEN 'not_authorized'
        ELSE coalesce(parley_judge_creation(us, max_created, created_a_minute), 'too_many_channels') END
      WHEN NOT parley_sees(us, ch) THEN 'channel_not_found'
      WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
      WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
        AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
      WHEN EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id) THEN 'member'
      WHEN item.n = default_room THEN NULL
      WHEN max_channels > 0 AND (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = us.id) >= max_channels THEN 'too_many_channels'
      WHEN max_users > 0 AND ch."userCount" >= max_users THEN 'channel_full'
      -- The first member of a channel made here made it.
      WHEN ch.id = ANY (made) AND ch."userCount" = 0 THEN parley_judge_creation(us, max_created, created_a_minute)
    END;
    retry_after_ms := CASE WHEN code = 'rate_limited' THEN parley_creation_wait(us, created_a_minute) END;
    IF code IS NULL THEN
      INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (ch.id, us.id);
      DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = us.id;
      UPDATE "Channel" c SET "userCount" = c."userCount" + 1 WHERE c.id = ch.id;
      IF ch.id = ANY (made) AND ch."userCount" = 0 AND item.n <> default_room THEN
        PERFORM parley_count_creation(us.id, created_a_minute);
      END IF;
      -- The first member of a channel made here is its creator and first moderator. (A guest is neither.)
      IF ch.id = ANY (made) AND ch."userCount" = 0 AND us.email IS NOT NULL THEN
        UPDATE "Channel" c SET "createdBy" = us.id WHERE c.id = ch.id;
        INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (ch.id, us.id);
      END IF;
    ELSIF code = 'member' THEN
      code := NULL;
    END IF;
    RETURN NEXT;
  END LOOP;
  -- Each user was judged by what he had before the batch: what was made for one join may not be allowed after another.
  DELETE FROM "Channel" c WHERE c.id = ANY (made) AND c."userCount" = 0;
END $$;

-- [P55] May this user act as an admin by this login? Null, or the code that says why not. A null user is the operator at the command
-- line, who may. For functions that hold the user's lock.
CREATE OR REPLACE FUNCTION parley_judge_admin(actor_id uuid, login uuid) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  us "User";
BEGIN
  us := parley_actor(actor_id, login);
  RETURN CASE WHEN actor_id IS NULL THEN NULL WHEN us.id IS NULL THEN 'authentication_failed' WHEN us.role <> 'admin' THEN 'not_authorized' END;
END $$;

-- [P58] May this user make one more channel? Null, or the code that says why not. A cap of 0 is none.
CREATE OR REPLACE FUNCTION parley_judge_creation(us "User", max_created int, created_a_minute int) RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT CASE
    WHEN max_created > 0
      AND (SELECT count(*) FROM (SELECT FROM "Channel" c WHERE c."createdBy" = us.id LIMIT max_created) made) >= max_created THEN 'too_many_channels'
    WHEN parley_creation_wait(us, created_a_minute) > 0 THEN 'rate_limited'
  END
$$;

-- [P20] Ends a membership. `code` where the user may not act or does not see the channel; `ended` false where there was no membership.
DROP FUNCTION IF EXISTS parley_leave(uuid, text);
CREATE OR REPLACE FUNCTION parley_leave(user_id uuid, channel_name text, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, ended boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  ch "Channel";
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE WHEN us.id IS NULL THEN 'authentication_failed' WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found' END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  RETURN QUERY SELECT NULL::text, ch.id, r.acl_version, r.ended FROM parley_end_membership(ch.id, us.id) r;
END $$;

-- [P55] Judges and logs an act of an admin that changes no row: announce, or disconnect_user with its target. Null, or the code that
-- says why not.
CREATE OR REPLACE FUNCTION parley_log_admin_act(actor_id uuid, login uuid, act text, target_id uuid, log_id uuid)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR SHARE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  IF target_id IS NOT NULL AND NOT EXISTS (SELECT FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL) THEN RETURN 'user_not_found'; END IF;
  PERFORM parley_log(actor_id, act, target_id, nowhere, NULL, NULL, log_id);
  RETURN NULL;
END $$;

-- [P12] [P56] Is this a login of the user's that is not over? Null is a guest's, who has none, and what an instance of the release before
-- sends. (PL/pgSQL, because PostgreSQL plans an SQL function that reads a table anew in every statement that calls it: 90 µs. Without
-- `enable_seqscan = off` a plan that was made while the table was small would go on reading all of it.)
CREATE OR REPLACE FUNCTION parley_login_is_live(us "User", login uuid) RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN login IS NULL OR (
    EXISTS (SELECT FROM "RefreshToken" t
      WHERE t."familyId" = login AND t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId")))
    AND NOT EXISTS (SELECT FROM "RefreshToken" t WHERE t."familyId" = login AND t."revokedAt" IS NOT NULL));
END $$;

-- The `createdAt` of a token that makes its login the user's most recently used one. The caller has locked the user.
CREATE OR REPLACE FUNCTION parley_login_time(us "User") RETURNS timestamptz LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  -- GREATEST passes over nulls.
  RETURN greatest(clock_timestamp(), us."loginsEndedUpTo" + interval '1 millisecond', (
    SELECT t."createdAt" + interval '1 millisecond' FROM "RefreshToken" t
    WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL ORDER BY t."createdAt" DESC, t.id DESC LIMIT 1));
END $$;

-- One act of one user on another in a channel: invite_user, kick_user, ban_user, unban_user, mute_user, unmute_user,
-- add_moderator, remove_moderator. `duration` in seconds; null: for good (bans only).
-- `effect` false: there was nothing to do. `ended`: a membership ended, and the channel's aclVersion rose.
-- `tell`: the target is to be told [P57]: a member, an invited user, or one who was told of what ends now.
DROP FUNCTION IF EXISTS parley_moderate(uuid, text, text, uuid, text, int, uuid);
CREATE OR REPLACE FUNCTION parley_moderate(actor_id uuid, act text, channel_name text, target_id uuid, why text, duration int, log_id uuid,
  max_invitations int DEFAULT 0, invitations_a_minute int DEFAULT 0, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_type text, acl_version bigint, expires_at timestamptz, effect boolean, ended boolean,
  tell boolean, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  target "User";
  ch "Channel";
  at timestamptz;
  is_banned boolean;
  times_told int;
BEGIN
  IF act = 'invite_user' THEN
    -- Invitations to one user are counted one after another [P57].
    PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  ELSE
    PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR SHARE;
  END IF;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  us := parley_actor(actor_id, login);
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND (u."disabledAt" IS NULL OR u.email IS NOT NULL);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN act IN ('add_moderator', 'remove_moderator') AND NOT parley_owns(us, ch) THEN 'not_authorized'
    WHEN act NOT IN ('add_moderator', 'remove_moderator') AND NOT parley_can_moderate(us, ch) THEN 'not_authorized'
    WHEN target.id IS NULL THEN 'user_not_found'
    WHEN act IN ('kick_user', 'ban_user', 'unban_user', 'mute_user', 'unmute_user') AND NOT parley_outranks(us, target, ch) THEN 'not_authorized'
  END;
  effect := false; ended := false; tell := false;
  channel_id := ch.id; channel_type := ch."channelType"; acl_version := ch."aclVersion";
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  is_banned := EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id AND (b."expiresAt" IS NULL OR b."expiresAt" > at));
  IF act IN ('ban_user', 'mute_user') THEN expires_at := at + make_interval(secs => duration); END IF;

  IF act = 'invite_user' THEN
    IF is_banned THEN code := 'banned'; RETURN NEXT; RETURN; END IF;
    SELECT r.code, r.effect, r.effect, r.retry_after_ms INTO code, effect, tell, retry_after_ms
      FROM parley_invite(ch.id, us.id, target.id, max_invitations, invitations_a_minute) r;
  ELSIF act IN ('kick_user', 'ban_user') THEN
    DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id;
    effect := FOUND;
    SELECT r.acl_version, r.ended INTO acl_version, ended FROM parley_end_membership(ch.id, target.id) r;
    tell := effect OR ended;
    DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
    effect := tell OR FOUND;
    IF act = 'ban_user' THEN
      -- Those who were told of a ban are told of the next two that replace it, so that they know until when it lasts.
      times_told := CASE WHEN tell THEN 0
        ELSE coalesce((SELECT b.told FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id), 0) END;
      tell := tell OR times_told BETWEEN 1 AND 2;
      INSERT INTO "ChannelBan" ("channelId", "userId", reason, "bannedBy", told, "expiresAt", "createdAt")
        VALUES (ch.id, target.id, why, us.id, times_told + tell::int, expires_at, at)
        ON CONFLICT ("channelId", "userId") DO UPDATE SET reason = EXCLUDED.reason, "bannedBy" = EXCLUDED."bannedBy", told = EXCLUDED.told,
          "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
      effect := true;
    END IF;
  ELSIF act = 'unban_user' THEN
    DELETE FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id RETURNING b.told INTO times_told;
    effect := is_banned;
    tell := effect AND times_told > 0;
  ELSIF act = 'mute_user' THEN
    tell := EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = target.id)
      OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id);
    INSERT INTO "ChannelMute" AS x ("channelId", "userId", "mutedBy", told, "expiresAt", "createdAt")
      VALUES (ch.id, target.id, us.id, tell, expires_at, at)
      ON CONFLICT ("channelId", "userId") DO UPDATE SET "mutedBy" = EXCLUDED."mutedBy", told = EXCLUDED.told OR x.told,
        "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
    effect := true;
  ELSIF act = 'unmute_user' THEN
    WITH gone AS (DELETE FROM "ChannelMute" m WHERE m."channelId" = ch.id AND m."userId" = target.id RETURNING m."expiresAt", m.told)
      SELECT coalesce(bool_or(gone."expiresAt" > at), false), coalesce(bool_or(gone."expiresAt" > at AND gone.told), false) INTO effect, tell FROM gone;
  ELSIF act = 'add_moderator' THEN
    INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (ch.id, target.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
  ELSIF act = 'remove_moderator' THEN
    DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
    effect := FOUND;
  END IF;
  IF effect THEN PERFORM parley_log(us.id, act, target.id, ch, why, expires_at, log_id); END IF;
  RETURN NEXT;
END $$;

-- [P26]–[P28] Stores a batch of messages, each numbered by its channel or refused.
-- batch: [{c: channel id, u: user id, s: login?, i: message id, m: text, k: client id?}, …], no (c, u, k) twice.
-- One row per message, in order: code null and id, seq, created_at; `duplicate` where the client id was stored before.
CREATE OR REPLACE FUNCTION parley_publish(batch json)
RETURNS TABLE (code text, id uuid, seq bigint, created_at timestamptz, duplicate boolean, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  at timestamptz;
BEGIN
  PERFORM FROM "Channel" c
    WHERE c.id IN (SELECT (m ->> 'c')::uuid FROM json_array_elements(batch) m) ORDER BY c.id FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  RETURN QUERY
  WITH input AS MATERIALIZED (
    SELECT b.ord, b.c, b.u, b.s, b.i, b.m, b.k
    FROM ROWS FROM (json_to_recordset(batch) AS (c uuid, u uuid, s uuid, i uuid, m text, k text)) WITH ORDINALITY AS b (c, u, s, i, m, k, ord)
  ), senders AS MATERIALIZED (
    -- A sender's standing in a channel is the same for all their messages of the batch, by the same login. (LATERAL … LIMIT 1: one index
    -- probe each, whatever the planner believes of the tables' sizes.)
    SELECT d.c, d.u, d.s, ch.last_seq, mute.until AS muted_until, CASE
      WHEN ch.id IS NULL THEN 'channel_not_found'
      WHEN us.role IS NULL THEN 'authentication_failed'
      WHEN ban.found THEN 'banned'
      WHEN cu.found IS NULL THEN 'not_in_channel'
      WHEN NOT parley_role_fits(us.role, ch.type) THEN 'not_authorized'
      WHEN mute.until IS NOT NULL THEN 'muted'
    END AS refusal
    FROM (SELECT DISTINCT input.c, input.u, input.s FROM input) d
    LEFT JOIN LATERAL (SELECT x.id, x."lastSeq" AS last_seq, x."channelType" AS type FROM "Channel" x WHERE x.id = d.c LIMIT 1) ch ON true
    LEFT JOIN LATERAL (SELECT x.role FROM "User" x WHERE x.id = d.u AND x."disabledAt" IS NULL AND parley_login_is_live(x, d.s) LIMIT 1) us ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelUser" x WHERE x."channelId" = d.c AND x."userId" = d.u LIMIT 1) cu ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" x WHERE x."channelId" = d.c AND x."userId" = d.u
      AND (x."expiresAt" IS NULL OR x."expiresAt" > at) LIMIT 1) ban ON true
    LEFT JOIN LATERAL (SELECT x."expiresAt" AS until FROM "ChannelMute" x WHERE x."channelId" = d.c AND x."userId" = d.u
      AND x."expiresAt" > at LIMIT 1) mute ON true
  ), judged AS MATERIALIZED (
    SELECT b.*, s.refusal, s.last_seq, s.muted_until, old.id AS old_id, old.seq AS old_seq, old."createdAt" AS old_at,
      row_number() OVER (PARTITION BY b.c, s.refusal IS NULL AND old.id IS NULL ORDER BY b.ord) AS place
    FROM input b
    JOIN senders s ON s.c = b.c AND s.u = b.u AND s.s IS NOT DISTINCT FROM b.s
    LEFT JOIN LATERAL (SELECT x.id, x.seq, x."createdAt" FROM "Message" x
      WHERE x."channelId" = b.c AND x."userId" = b.u AND x."clientId" = b.k LIMIT 1) old ON b.k IS NOT NULL
  ), stored AS (
    INSERT INTO "Message" ("channelId", seq, id, "userId", content, "clientId", "createdAt")
    SELECT j.c, j.last_seq + j.place, j.i, j.u, j.m, j.k, at FROM judged j WHERE j.refusal IS NULL AND j.old_id IS NULL
  ), numbered AS (
    UPDATE "Channel" ch SET "lastSeq" = n.last FROM (
      SELECT j.c, max(j.last_seq + j.place) AS last FROM judged j WHERE j.refusal IS NULL AND j.old_id IS NULL GROUP BY j.c
    ) n WHERE ch.id = n.c
  )
  SELECT CASE WHEN j.old_id IS NULL THEN j.refusal END, coalesce(j.old_id, j.i), coalesce(j.old_seq, j.last_seq + j.place),
    coalesce(j.old_at, at), j.old_id IS NOT NULL,
    CASE WHEN j.refusal = 'muted' THEN ceil(extract(epoch FROM j.muted_until - at) * 1000)::bigint END
  FROM judged j ORDER BY j.ord;
END $$;

-- Deletes up to `most` tokens that expired more than `grace` seconds (an access token's lifetime) ago, and returns how many. A revoked
-- one stays while its login has others, which are known as revoked by it. In order of the index: without the settings, a planner that
-- knows nothing of the table (nobody analyses the embedded database) reads and sorts all expired tokens for each round.
CREATE OR REPLACE FUNCTION parley_purge_logins(grace int, most int) RETURNS int LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  cutoff timestamptz := clock_timestamp() - make_interval(secs => grace);
  purged int;
BEGIN
  DELETE FROM "RefreshToken" t WHERE t.id = ANY (ARRAY(
    SELECT o.id FROM "RefreshToken" o
    WHERE o."expiresAt" < cutoff AND (o."revokedAt" IS NULL
      OR (SELECT true FROM "RefreshToken" s WHERE s."familyId" = o."familyId" AND s."expiresAt" >= cutoff LIMIT 1) IS NULL)
    ORDER BY o."expiresAt" LIMIT most));
  GET DIAGNOSTICS purged = ROW_COUNT;
  RETURN purged;
END $$;

-- Removes up to `most` entries, messages and changes, of one deleted channel, and its row in DeletedChannel with the last of them.
-- Returns how many rows went; 0 says that no deleted channel is left. Instances that purge at once take different channels. In order of
-- the indexes: without the settings, a planner that knows nothing of the tables reads and sorts all of a channel for its first round.
CREATE OR REPLACE FUNCTION parley_purge_messages(most int) RETURNS int LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  channel uuid;
  messages int;
  changes int;
BEGIN
  SELECT d.id INTO channel FROM "DeletedChannel" d ORDER BY d.id LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF channel IS NULL THEN RETURN 0; END IF;
  -- A range of the primary key: every round reads only what it deletes, however many entries the channel has.
  DELETE FROM "Message" m WHERE m."channelId" = channel AND m.seq <= (
    SELECT max(o.seq) FROM (SELECT x.seq FROM "Message" x WHERE x."channelId" = channel ORDER BY x.seq LIMIT most) o);
  GET DIAGNOSTICS messages = ROW_COUNT;
  DELETE FROM "MessageChange" m WHERE m."channelId" = channel AND m.seq <= (
    SELECT max(o.seq) FROM (SELECT x.seq FROM "MessageChange" x WHERE x."channelId" = channel ORDER BY x.seq LIMIT most - messages) o);
  GET DIAGNOSTICS changes = ROW_COUNT;
  IF messages + changes = most THEN RETURN most; END IF;
  DELETE FROM "DeletedChannel" d WHERE d.id = channel;
  RETURN messages + changes + 1;
END $$;

-- Marks a refresh token used and stores its successor. False where it was used or had expired by then, or its login was over.
CREATE OR REPLACE FUNCTION parley_refresh_login(
  used_hash bytea, token_id uuid, token_hash bytea, token_salt bytea, lifetime int
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  token "RefreshToken";
  us "User";
BEGIN
  SELECT * INTO token FROM "RefreshToken" t WHERE t."tokenHash" = used_hash;
  -- Whatever ends logins takes a stronger lock on the user: it comes before this statement and is seen below, or sees the successor.
  SELECT * INTO us FROM "User" u WHERE u.id = token."userId" AND u."disabledAt" IS NULL FOR SHARE;
  IF us.id IS NULL OR NOT parley_login_is_live(us, token."familyId") THEN RETURN false; END IF;
  UPDATE "RefreshToken" t SET "usedAt" = now()
    WHERE t.id = token.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND t."expiresAt" > now();
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt")
    VALUES (token_id, token_hash, token_salt, us.id, token."familyId", now() + make_interval(secs => lifetime), parley_login_time(us));
  RETURN true;
END $$;

-- Gives the user who acts another name.
CREATE OR REPLACE FUNCTION parley_rename_user(user_id uuid, login uuid, new_name text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  IF us.id IS NULL THEN RETURN 'authentication_failed'; END IF;
  UPDATE "User" u SET name = new_name WHERE u.id = us.id;
  RETURN NULL;
END $$;

-- Changes a channel's type and ends the memberships of those who may no longer be there. Its creator and admins only.
DROP FUNCTION IF EXISTS parley_set_channel_type(uuid, text, "ChannelType");
CREATE OR REPLACE FUNCTION parley_set_channel_type(user_id uuid, channel_name text, new_type "ChannelType", login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, removed uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN NOT parley_owns(us, ch) THEN 'not_authorized'
    ELSE parley_judge_type(us, channel_name, new_type)
  END;
  IF code IS NULL THEN
    WITH gone AS (
      DELETE FROM "ChannelUser" m USING "User" u WHERE m."channelId" = ch.id AND u.id = m."userId"
        AND NOT (parley_role_fits(u.role, new_type) AND (new_type = 'public' OR u.email IS NOT NULL)) RETURNING m."userId"
    ) SELECT coalesce(array_agg("userId"), '{}') INTO removed FROM gone;
    UPDATE "Channel" c SET "channelType" = new_type, "userCount" = c."userCount" - cardinality(removed), "aclVersion" = c."aclVersion" + 1
      WHERE c.id = ch.id RETURNING c.id, c."aclVersion" INTO channel_id, acl_version;
  END IF;
  RETURN NEXT;
END $$;

-- Disables or enables a user. What they send in a channel and commits after this is refused: their channels are locked too.
-- `actor_id` null: the operator.
DROP FUNCTION IF EXISTS parley_set_disabled(uuid, uuid, boolean, uuid);
CREATE OR REPLACE FUNCTION parley_set_disabled(actor_id uuid, target_id uuid, disable boolean, log_id uuid, login uuid DEFAULT NULL)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
  refusal text;
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL;
  IF target.id IS NULL THEN RETURN 'user_not_found'; END IF;
  IF actor_id = target_id THEN RETURN 'not_authorized'; END IF;
  IF (target."disabledAt" IS NOT NULL) = disable THEN RETURN NULL; END IF;
  IF disable AND parley_is_last_admin(target) THEN RETURN 'last_admin'; END IF;
  PERFORM FROM "Channel" c WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = target_id) ORDER BY c.id FOR NO KEY UPDATE;
  UPDATE "User" u SET "disabledAt" = CASE WHEN disable THEN clock_timestamp() END WHERE u.id = target_id;
  IF disable THEN
    PERFORM parley_end_logins(target_id, 0);
  END IF;
  PERFORM parley_log(actor_id, CASE WHEN disable THEN 'disable_user' ELSE 'enable_user' END, target_id, nowhere, NULL, NULL, log_id);
  RETURN NULL;
END $$;

-- [P15] Gives a user another role; memberships that it no longer allows end. Nobody changes their own. `actor_id` null: the operator.
DROP FUNCTION IF EXISTS parley_set_role(uuid, uuid, "Role", uuid);
CREATE OR REPLACE FUNCTION parley_set_role(actor_id uuid, target_id uuid, new_role "Role", log_id uuid, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL;
  code := coalesce(parley_judge_admin(actor_id, login),
    CASE WHEN target.id IS NULL THEN 'user_not_found' WHEN actor_id = target_id THEN 'not_authorized' END);
  IF code IS NULL AND target.role = new_role THEN RETURN; END IF;
  IF code IS NULL AND parley_is_last_admin(target) THEN code := 'last_admin'; END IF;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  UPDATE "User" u SET role = new_role WHERE u.id = target_id;
  PERFORM parley_log(actor_id, 'set_role_' || new_role, target_id, nowhere, NULL, NULL, log_id);
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, false) e;
END $$;

-- Starts a login. Returns the logins that ended for it, the longest unused ones beyond `max_logins` (0 is no limit) [P56]; null where the
-- account is disabled or its hash is not `password_hash` any more. Whatever else ends logins waits for the lock and sees this one.
CREATE OR REPLACE FUNCTION parley_start_login(
  target_id uuid, login uuid, password_hash text, max_logins int, token_id uuid, token_hash bytea, token_salt bytea, lifetime int
) RETURNS uuid[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u
    WHERE u.id = target_id AND u."disabledAt" IS NULL AND u."passwordHash" = password_hash FOR NO KEY UPDATE;
  IF us.id IS NULL THEN RETURN NULL; END IF;
  INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt")
    VALUES (token_id, token_hash, token_salt, us.id, login, now() + make_interval(secs => lifetime), parley_login_time(us));
  IF max_logins = 0 THEN RETURN '{}'; END IF;
  RETURN ARRAY(SELECT parley_end_logins(us.id, max_logins));
END $$;
