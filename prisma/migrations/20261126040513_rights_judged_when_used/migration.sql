-- DropIndex
DROP INDEX "RefreshToken_familyId_idx";

-- CreateIndex
CREATE INDEX "RefreshToken_familyId_revokedAt_idx" ON "RefreshToken"("familyId", "revokedAt");

-- CreateIndex
CREATE INDEX "User_role_idx" ON "User"("role") WHERE (role = 'admin');

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
RETURNS TABLE (code text, channel_id uuid, seq bigint, created_at timestamptz, author_id uuid, retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  item record;
  us "User";
  author "User";
  ch "Channel";
  msg "Message";
  muted_until timestamptz;
  at timestamptz;
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (SELECT (b ->> 'u')::uuid FROM json_array_elements(batch) b) ORDER BY u.id FOR SHARE;
  PERFORM FROM "Channel" c WHERE c.name IN (SELECT b ->> 'n' FROM json_array_elements(batch) b) ORDER BY c.id FOR NO KEY UPDATE;
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

-- Replaces the password hash of the user who acts, where it still is the one that they have just proved to know.
CREATE OR REPLACE FUNCTION parley_change_password(user_id uuid, login uuid, old_hash text, new_hash text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  IF us.id IS NULL THEN RETURN 'authentication_failed'; END IF;
  IF us."passwordHash" IS DISTINCT FROM old_hash THEN RETURN 'not_authorized'; END IF;
  UPDATE "User" u SET "passwordHash" = new_hash WHERE u.id = us.id;
  RETURN NULL;
END $$;

-- Makes a channel, its creator a member and its first moderator.
DROP FUNCTION IF EXISTS parley_create_channel(uuid, uuid, text, "ChannelType", int);
CREATE OR REPLACE FUNCTION parley_create_channel(
  user_id uuid, id uuid, channel_name text, new_type "ChannelType", max_channels int, login uuid DEFAULT NULL)
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
  INSERT INTO "Channel" (id, name, "channelType", "createdBy", "userCount") VALUES (id, channel_name, new_type, us.id, 1)
    ON CONFLICT (name) DO NOTHING;
  IF NOT FOUND THEN RETURN 'channel_exists'; END IF;
  INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (id, us.id);
  INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (id, us.id);
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
  IF code IS NULL THEN DELETE FROM "Channel" c WHERE c.id = ch.id; END IF;
  RETURN NEXT;
END $$;

-- Ends a login. False where it had ended before. The user's lock makes it wait for what they are changing by it.
CREATE OR REPLACE FUNCTION parley_end_login(login uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT t."userId" FROM "RefreshToken" t WHERE t."familyId" = login LIMIT 1) FOR NO KEY UPDATE;
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."familyId" = login AND t."revokedAt" IS NULL;
  RETURN FOUND;
END $$;

-- Erases an account: disabled, in no channel, without email, name and hash, its logins revoked. What it wrote stays.
-- `actor_id` is null where the users do it themselves; `login` is whose ever acts.
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
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."userId" = target_id AND t."revokedAt" IS NULL;
  UPDATE "User" u SET email = NULL, name = 'deleted user', "passwordHash" = NULL, role = 'user', "disabledAt" = coalesce(u."disabledAt", clock_timestamp())
    WHERE u.id = target_id;
  PERFORM parley_log(coalesce(actor_id, target_id), 'erase_user', target_id, nowhere, NULL, NULL, log_id);
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
CREATE OR REPLACE FUNCTION parley_join(batch json, max_channels int, max_users int, default_room text, create_missing boolean)
RETURNS TABLE (ord bigint, code text, channel_id uuid, channel_type text, last_seq bigint, acl_version bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  todo bigint[];
  made uuid[];
  item record;
  ch "Channel";
  us "User";
BEGIN
  -- Members who come back, most joins by far, need no lock and write nothing.
  FOR item IN
    SELECT b.ord, c.id, c."channelType", c."lastSeq", c."aclVersion",
      m."userId" IS NOT NULL AND parley_role_fits(u.role, c."channelType") AND NOT EXISTS (
        SELECT FROM "ChannelBan" x WHERE x."channelId" = c.id AND x."userId" = u.id AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())
      ) AS member
    FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    LEFT JOIN "User" u ON u.id = b.u AND u."disabledAt" IS NULL AND parley_login_is_live(u.*, b.s)
    LEFT JOIN "Channel" c ON c.name = b.n
    LEFT JOIN "ChannelUser" m ON m."channelId" = c.id AND m."userId" = u.id
  LOOP
    IF item.member THEN
      RETURN QUERY SELECT item.ord, NULL::text, item.id, item."channelType"::text, item."lastSeq", item."aclVersion";
    ELSE
      todo := todo || item.ord;
    END IF;
  END LOOP;
  IF todo IS NULL THEN RETURN; END IF;

  PERFORM FROM "User" u
    WHERE u.id IN (SELECT (b ->> 'u')::uuid FROM json_array_elements(batch) b) ORDER BY u.id FOR NO KEY UPDATE;
  IF create_missing THEN
    -- In order of name: two batches that make the same channels must not wait for each other.
    WITH new AS (
      INSERT INTO "Channel" (id, name, "channelType")
      SELECT DISTINCT ON (b.n) b.i, b.n, coalesce(parley_type_of_name(b.n), 'public')
      FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
      JOIN "User" u ON u.id = b.u AND u."disabledAt" IS NULL AND parley_login_is_live(u.*, b.s)
      WHERE b.ord = ANY (todo) AND parley_role_fits(u.role, coalesce(parley_type_of_name(b.n), 'public'))
        AND NOT EXISTS (SELECT FROM "Channel" c WHERE c.name = b.n)
        AND (max_channels = 0 OR b.n = default_room OR (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = u.id) < max_channels)
      ORDER BY b.n, b.ord
      ON CONFLICT (name) DO NOTHING RETURNING id
    ) SELECT array_agg(new.id) INTO made FROM new;
  END IF;
  PERFORM FROM "Channel" c
    WHERE c.name IN (SELECT b ->> 'n' FROM json_array_elements(batch) b) ORDER BY c.id FOR NO KEY UPDATE;

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
        ELSE 'too_many_channels' END
      WHEN NOT parley_sees(us, ch) THEN 'channel_not_found'
      WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
      WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
        AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
      WHEN EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id) THEN 'member'
      WHEN item.n = default_room THEN NULL
      WHEN max_channels > 0 AND (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = us.id) >= max_channels THEN 'too_many_channels'
      WHEN max_users > 0 AND ch."userCount" >= max_users THEN 'channel_full'
    END;
    IF code IS NULL THEN
      INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (ch.id, us.id);
      DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = us.id;
      UPDATE "Channel" c SET "userCount" = c."userCount" + 1 WHERE c.id = ch.id;
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

-- [P12] Is this a login of the user's that has not ended? Null is a guest's, who has none, and what an instance of the release before
-- sends. A login has ended once any of its refresh tokens is revoked: the index (familyId, revokedAt) has that one first.
-- (PL/pgSQL, because PostgreSQL plans an SQL function that reads a table anew in every statement that calls it: 90 µs.)
CREATE OR REPLACE FUNCTION parley_login_is_live(us "User", login uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN login IS NULL OR coalesce((
    SELECT t."revokedAt" IS NULL AND t."userId" = us.id FROM "RefreshToken" t WHERE t."familyId" = login ORDER BY t."revokedAt" LIMIT 1), false);
END $$;

-- One act of one user on another in a channel: invite_user, kick_user, ban_user, unban_user, mute_user, unmute_user,
-- add_moderator, remove_moderator. `duration` in seconds; null: for good (bans only).
-- `effect` false: there was nothing to do. `ended`: a membership ended, and the channel's aclVersion rose.
DROP FUNCTION IF EXISTS parley_moderate(uuid, text, text, uuid, text, int, uuid);
CREATE OR REPLACE FUNCTION parley_moderate(
  actor_id uuid, act text, channel_name text, target_id uuid, why text, duration int, log_id uuid, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_type text, acl_version bigint, expires_at timestamptz, effect boolean, ended boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  target "User";
  ch "Channel";
  at timestamptz;
  is_banned boolean;
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR SHARE;
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
  effect := false; ended := false;
  channel_id := ch.id; channel_type := ch."channelType"; acl_version := ch."aclVersion";
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  is_banned := EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id AND (b."expiresAt" IS NULL OR b."expiresAt" > at));
  IF act IN ('ban_user', 'mute_user') THEN expires_at := at + make_interval(secs => duration); END IF;

  IF act = 'invite_user' THEN
    IF is_banned THEN code := 'banned'; RETURN NEXT; RETURN; END IF;
    INSERT INTO "ChannelInvite" ("channelId", "userId", "invitedBy") SELECT ch.id, target.id, us.id
      WHERE NOT EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = target.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
  ELSIF act IN ('kick_user', 'ban_user') THEN
    DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id;
    effect := FOUND;
    SELECT r.acl_version, r.ended INTO acl_version, ended FROM parley_end_membership(ch.id, target.id) r;
    effect := effect OR ended;
    IF act = 'ban_user' THEN
      DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
      INSERT INTO "ChannelBan" ("channelId", "userId", reason, "bannedBy", "expiresAt", "createdAt") VALUES (ch.id, target.id, why, us.id, expires_at, at)
        ON CONFLICT ("channelId", "userId") DO UPDATE
        SET reason = EXCLUDED.reason, "bannedBy" = EXCLUDED."bannedBy", "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
      effect := true;
    END IF;
  ELSIF act = 'unban_user' THEN
    DELETE FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id;
    effect := is_banned;
  ELSIF act = 'mute_user' THEN
    INSERT INTO "ChannelMute" ("channelId", "userId", "mutedBy", "expiresAt", "createdAt") VALUES (ch.id, target.id, us.id, expires_at, at)
      ON CONFLICT ("channelId", "userId") DO UPDATE
      SET "mutedBy" = EXCLUDED."mutedBy", "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
    effect := true;
  ELSIF act = 'unmute_user' THEN
    WITH gone AS (DELETE FROM "ChannelMute" m WHERE m."channelId" = ch.id AND m."userId" = target.id RETURNING m."expiresAt")
      SELECT coalesce(bool_or(gone."expiresAt" > at), false) INTO effect FROM gone;
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
    UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."userId" = target_id AND t."revokedAt" IS NULL;
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
