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

-- AlterTable
ALTER TABLE "ChannelBan" ADD COLUMN     "told" SMALLINT NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "ChannelMute" ADD COLUMN     "told" BOOLEAN NOT NULL DEFAULT true;

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "creationsRefilledAt" TIMESTAMPTZ(6);

-- CreateIndex
CREATE INDEX "User_gone_idx" ON "User"("disabledAt") WHERE (email IS NULL);

-- CreateIndex
CREATE INDEX "Channel_channelType_name_idx" ON "Channel"("channelType", "name");

-- CreateIndex
CREATE INDEX "Channel_createdBy_idx" ON "Channel"("createdBy");

-- CreateIndex
CREATE INDEX "ModerationLog_targetId_action_createdAt_idx" ON "ModerationLog"("targetId", "action", "createdAt");

-- CreateIndex
CREATE INDEX "ModerationLog_createdAt_idx" ON "ModerationLog"("createdAt");

-- [P58] Counts a channel that the user has made. The user keeps the count: deleting the channel gives nothing back.
CREATE OR REPLACE FUNCTION parley_count_creation(maker uuid, a_minute int) RETURNS void LANGUAGE sql VOLATILE AS $$
  UPDATE "User" u SET "creationsRefilledAt" = greatest(u."creationsRefilledAt", clock_timestamp()) + interval '1 minute' / nullif(a_minute, 0)
  WHERE u.id = maker AND a_minute > 0
$$;

-- Makes a channel, its creator a member and its first moderator. A cap of 0 is none.
DROP FUNCTION IF EXISTS parley_create_channel(uuid, uuid, text, "ChannelType", int);
CREATE OR REPLACE FUNCTION parley_create_channel(user_id uuid, id uuid, channel_name text, new_type "ChannelType", max_channels int,
  max_created int DEFAULT 0, created_a_minute int DEFAULT 0)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  refusal text;
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
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
CREATE OR REPLACE FUNCTION parley_decline_invitation(user_id uuid, channel_name text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = user_id AND u."disabledAt" IS NULL FOR NO KEY UPDATE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  IF us.id IS NULL THEN RETURN 'authentication_failed'; END IF;
  IF ch.id IS NULL OR NOT parley_sees(us, ch) THEN RETURN 'channel_not_found'; END IF;
  IF us.email IS NULL THEN RETURN 'not_authorized'; END IF;
  DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = us.id;
  RETURN NULL;
END $$;

-- [P24] Deletes a channel; its messages are left to parley_purge_messages.
CREATE OR REPLACE FUNCTION parley_delete_channel(user_id uuid, channel_name text)
RETURNS TABLE (code text, channel_id uuid) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR UPDATE;
  SELECT * INTO us FROM "User" u WHERE u.id = user_id AND u."disabledAt" IS NULL;
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

-- [P18]–[P22] Makes users members of channels, by name.
-- batch: [{u: user id, n: channel name, i: id for the channel if it is to be made}, …]. A cap of 0 is none.
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
    FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, n text, i uuid)) WITH ORDINALITY AS b (u, n, i, ord)
    LEFT JOIN LATERAL (SELECT o.id, o.role FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL LIMIT 1) u ON true
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
      FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, n text, i uuid)) WITH ORDINALITY AS b (u, n, i, ord)
      CROSS JOIN LATERAL (SELECT o AS us FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL LIMIT 1) u
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
    SELECT b.* FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, n text, i uuid)) WITH ORDINALITY AS b (u, n, i, ord)
    WHERE b.ord = ANY (todo) ORDER BY b.ord
  LOOP
    SELECT * INTO us FROM "User" u WHERE u.id = item.u AND u."disabledAt" IS NULL;
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

-- [P58] May this user make one more channel? Null, or the code that says why not. A cap of 0 is none.
CREATE OR REPLACE FUNCTION parley_judge_creation(us "User", max_created int, created_a_minute int) RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT CASE
    WHEN max_created > 0
      AND (SELECT count(*) FROM (SELECT FROM "Channel" c WHERE c."createdBy" = us.id LIMIT max_created) made) >= max_created THEN 'too_many_channels'
    WHEN parley_creation_wait(us, created_a_minute) > 0 THEN 'rate_limited'
  END
$$;

-- One act of one user on another in a channel: invite_user, kick_user, ban_user, unban_user, mute_user, unmute_user,
-- add_moderator, remove_moderator. `duration` in seconds; null: for good (bans only).
-- `effect` false: there was nothing to do. `ended`: a membership ended, and the channel's aclVersion rose.
-- `tell`: the target is to be told [P57]: a member, an invited user, or one who was told of what ends now.
DROP FUNCTION IF EXISTS parley_moderate(uuid, text, text, uuid, text, int, uuid);
CREATE OR REPLACE FUNCTION parley_moderate(actor_id uuid, act text, channel_name text, target_id uuid, why text, duration int, log_id uuid,
  max_invitations int DEFAULT 0, invitations_a_minute int DEFAULT 0)
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
  -- Invitations to one user are counted one after another [P57].
  IF act = 'invite_user' THEN PERFORM FROM "User" u WHERE u.id = target_id FOR NO KEY UPDATE; END IF;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  SELECT * INTO us FROM "User" u WHERE u.id = actor_id AND u."disabledAt" IS NULL;
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
