-- CreateTable
CREATE TABLE "DirectPeer" (
    "channelId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "peerId" UUID NOT NULL,
    "toldAt" TIMESTAMPTZ(3),

    CONSTRAINT "DirectPeer_pkey" PRIMARY KEY ("channelId","userId")
);

-- CreateTable
CREATE TABLE "UserBlock" (
    "userId" UUID NOT NULL,
    "blockedId" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "UserBlock_pkey" PRIMARY KEY ("userId","blockedId")
);

-- CreateIndex
CREATE INDEX "DirectPeer_userId_toldAt_idx" ON "DirectPeer"("userId", "toldAt");

-- CreateIndex
CREATE INDEX "DirectPeer_peerId_idx" ON "DirectPeer"("peerId");

-- CreateIndex
CREATE INDEX "DirectPeer_toldAt_idx" ON "DirectPeer"("toldAt");

-- CreateIndex
CREATE INDEX "UserBlock_blockedId_idx" ON "UserBlock"("blockedId");

-- AddForeignKey
ALTER TABLE "DirectPeer" ADD CONSTRAINT "DirectPeer_channelId_fkey" FOREIGN KEY ("channelId") REFERENCES "Channel"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "DirectPeer" ADD CONSTRAINT "DirectPeer_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "DirectPeer" ADD CONSTRAINT "DirectPeer_peerId_fkey" FOREIGN KEY ("peerId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "UserBlock" ADD CONSTRAINT "UserBlock_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "UserBlock" ADD CONSTRAINT "UserBlock_blockedId_fkey" FOREIGN KEY ("blockedId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- [P48] Makes the acting user block `target_id`, or ends that (`wanted` is false). `max_blocks` limits the blocks of one user; 0 means no limit.
-- Returns an error code, or null. `channel_id` is their direct channel if there is one and the block of its other user has changed; its
-- aclVersion rises then, so that instances that the bus does not reach find the change.
CREATE OR REPLACE FUNCTION parley_block_user(user_id uuid, login uuid, target_id uuid, wanted boolean, max_blocks int)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  -- A direct channel that is being opened and an invitation that is being written are committed before the block, or see it.
  PERFORM FROM "User" u WHERE u.id IN (user_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN us.email IS NULL OR us.id = target_id THEN 'not_authorized'
    WHEN NOT EXISTS (SELECT FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL) THEN 'user_not_found'
    WHEN wanted AND max_blocks > 0 AND NOT parley_blocks(us.id, target_id)
      AND (SELECT count(*) FROM "UserBlock" b WHERE b."userId" = us.id) >= max_blocks THEN 'too_many_blocks'
  END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  IF wanted THEN
    INSERT INTO "UserBlock" ("userId", "blockedId", "createdAt") VALUES (us.id, target_id, clock_timestamp()) ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM "UserBlock" b WHERE b."userId" = us.id AND b."blockedId" = target_id;
  END IF;
  IF FOUND THEN
    -- This waits for messages that were judged before the block.
    UPDATE "Channel" c SET "aclVersion" = c."aclVersion" + 1
      WHERE c.name = parley_direct_name(us.id, target_id) AND c."channelType" = 'direct' RETURNING c.id, c."aclVersion" INTO channel_id, acl_version;
  END IF;
  RETURN NEXT;
END $$;

-- [P48] Says whether a user blocks another one.
CREATE OR REPLACE FUNCTION parley_blocks(us uuid, other uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM "UserBlock" b WHERE b."userId" = us AND b."blockedId" = other)
$$;

-- Says whether the user may moderate the channel: admins, moderators of this channel, and, if its type is `moderator`, users with that
-- role may. Except for admins, the role has to fit the channel's type [P15] and no ban may be in force [P55]. Guests never may [P16]. Nobody moderates a direct channel [P47].
CREATE OR REPLACE FUNCTION parley_can_moderate(us "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT ch."channelType" <> 'direct' AND (us.role = 'admin' OR (us.email IS NOT NULL AND parley_role_fits(us.role, ch."channelType") AND (
    (us.role = 'moderator' AND ch."channelType" = 'moderator')
    OR EXISTS (SELECT FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = us.id))
    AND NOT EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = us.id
      AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp()))))
$$;

-- [P34] Stores a batch of edits and deletions, each as an entry of its channel's sequence.
-- batch: [{n: channel name, u: user id, s: login, i: message id, m: new text, or null to delete,
-- d: new data as JSON text?, l: id for the moderation log}, …]. An edit without d leaves the data as it is; the text `null` removes it.
-- Returns one row per change, in the order of the batch: an error code, or the entry's channel, seq and time, the message's author, and for
-- an edit the message's data as it is then.
DROP FUNCTION IF EXISTS parley_change(json);
CREATE OR REPLACE FUNCTION parley_change(batch json)
RETURNS TABLE (code text, channel_id uuid, seq bigint, created_at timestamptz, author_id uuid, data text, retry_after_ms bigint)
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
    SELECT b.* FROM ROWS FROM (json_to_recordset(batch) AS (n text, u uuid, s uuid, i uuid, m text, d text, l uuid)) WITH ORDINALITY AS b (n, u, s, i, m, d, l, ord) ORDER BY b.ord
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
      WHEN ch."channelType" = 'direct' AND parley_is_blocked(ch.id, us.id) THEN 'blocked'
    END;
    channel_id := ch.id; seq := NULL; created_at := at; author_id := msg."userId"; data := NULL; retry_after_ms := NULL;
    IF code = 'muted' THEN retry_after_ms := ceil(extract(epoch FROM muted_until - at) * 1000)::bigint; END IF;
    IF code IS NULL THEN
      UPDATE "Channel" c SET "lastSeq" = c."lastSeq" + 1 WHERE c.id = ch.id RETURNING c."lastSeq" INTO seq;
      INSERT INTO "MessageChange" ("channelId", seq, "messageId", kind, "userId", "createdAt")
        VALUES (ch.id, seq, msg.id, CASE WHEN item.m IS NULL THEN 'deleted'::"ChangeKind" ELSE 'edited' END, us.id, at);
      IF item.m IS NULL THEN
        UPDATE "Message" x SET content = NULL, data = NULL, "deletedAt" = at WHERE x."channelId" = ch.id AND x.seq = msg.seq;
        IF msg."userId" <> us.id THEN PERFORM parley_log(us.id, 'delete_message', msg."userId", ch, NULL, NULL, item.l); END IF;
      ELSE
        data := coalesce(item.d, msg.data);
        UPDATE "Message" x SET content = item.m, data = parley_change.data, "editedAt" = at WHERE x."channelId" = ch.id AND x.seq = msg.seq;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

-- [P21] Counts the channels that a user is a member of. Direct channels do not count [P47].
CREATE OR REPLACE FUNCTION parley_count_channels(member uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = member) - (SELECT count(*) FROM "DirectPeer" p
    JOIN "ChannelUser" m ON m."channelId" = p."channelId" AND m."userId" = p."userId" WHERE p."userId" = member)
$$;

-- Creates a channel, with its creator as a member and the first moderator. Returns null or an error code. A cap of 0 means no cap.
-- settings: {topic?, slow_mode?, retention?} [P50].
DROP FUNCTION IF EXISTS parley_create_channel(uuid, uuid, text, "ChannelType", int, int, int, uuid);
CREATE OR REPLACE FUNCTION parley_create_channel(user_id uuid, id uuid, channel_name text, new_type "ChannelType", max_channels int,
  max_created int DEFAULT 0, created_a_minute int DEFAULT 0, login uuid DEFAULT NULL, settings json DEFAULT '{}')
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
  IF max_channels > 0 AND parley_count_channels(us.id) >= max_channels THEN RETURN 'too_many_channels'; END IF;
  refusal := parley_judge_creation(us, max_created, created_a_minute);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  INSERT INTO "Channel" (id, name, "channelType", "createdBy", "userCount", topic, "slowMode", retention)
    VALUES (id, channel_name, new_type, us.id, 1, coalesce(settings ->> 'topic', ''), coalesce((settings ->> 'slow_mode')::int, 0),
      (settings ->> 'retention')::int)
    ON CONFLICT (name) DO NOTHING;
  IF NOT FOUND THEN RETURN 'channel_exists'; END IF;
  INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (id, us.id);
  INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (id, us.id);
  PERFORM parley_count_creation(us.id, created_a_minute);
  RETURN NULL;
END $$;

-- [P64] Stores an admin's new invitation code for `uses` registrations within `lifetime` seconds. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_create_invitation_code(actor_id uuid, login uuid, new_id uuid, code_hash bytea, uses int, lifetime int,
  channel_names text[]) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
  ids uuid[];
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR SHARE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  ids := ARRAY(SELECT c.id FROM "Channel" c WHERE c.name = ANY (channel_names) AND c."channelType" <> 'direct');
  IF cardinality(ids) < cardinality(channel_names) THEN RETURN 'channel_not_found'; END IF;
  -- New users have the role user.
  IF EXISTS (SELECT FROM "Channel" c WHERE c.id = ANY (ids) AND NOT parley_role_fits('user', c."channelType")) THEN RETURN 'invalid_channel_type'; END IF;
  INSERT INTO "InvitationCode" (id, "codeHash", uses, "usesLeft", "expiresAt", "channelIds", "createdBy", "createdAt")
    VALUES (new_id, code_hash, uses, uses, clock_timestamp() + make_interval(secs => lifetime), ids, actor_id, clock_timestamp());
  PERFORM parley_log(actor_id, 'create_invitation_code', NULL, nowhere, new_id::text, NULL, NULL);
  RETURN NULL;
END $$;

-- [P47] Returns the name of the direct channel of two users: the same for both of them, whoever asks.
CREATE OR REPLACE FUNCTION parley_direct_name(one uuid, other uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'direct-' || left(encode(sha256(uuid_send(least(one, other)) || uuid_send(greatest(one, other))), 'hex'), 32)
$$;

-- Erases an account: it is then disabled, without email, name and password hash, in no channel, and all its logins are ended. Its messages
-- stay. A direct channel stays for its other user [P47], unless that user is erased too. `actor_id` is null if users erase their own account; `login` is the login of the acting user.
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
  -- parley_publish waits here, and then neither brings the erased user back into a direct channel nor takes a message for them.
  PERFORM FROM "Channel" c WHERE c.id IN (
    SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = target_id
    UNION SELECT p."channelId" FROM "DirectPeer" p WHERE p."userId" = target_id) ORDER BY c.id FOR NO KEY UPDATE;
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, true) e;
  DELETE FROM "ChannelInvite" i WHERE i."userId" = target_id;
  DELETE FROM "ChannelModerator" m WHERE m."userId" = target_id;
  PERFORM parley_end_logins(target_id, 0);
  UPDATE "User" u SET email = NULL, name = 'deleted user', "passwordHash" = NULL, role = 'user', "disabledAt" = coalesce(u."disabledAt", clock_timestamp())
    WHERE u.id = target_id;
  DELETE FROM "UserBlock" b WHERE b."userId" = target_id OR b."blockedId" = target_id;
  WITH unread AS (
    DELETE FROM "Channel" c USING "DirectPeer" p JOIN "User" u ON u.id = p."peerId" AND u.email IS NULL
      WHERE p."userId" = target_id AND c.id = p."channelId" RETURNING c.id
  ) INSERT INTO "DeletedChannel" (id) SELECT unread.id FROM unread;
  PERFORM parley_log(coalesce(actor_id, target_id), 'erase_user', target_id, nowhere, NULL, NULL, log_id);
END $$;

-- [P57] Invites `target` to a channel. `effect` is false if nothing changed, because the target is already a member or invited, or because
-- of `code`. For parley_moderate, which has locked the target and the channel. `max_pending` limits the pending invitations of one user,
-- and `a_minute` the invitations that one user may get per minute. One inviter may use a quarter of either. 0 means no limit.
-- An invitation of an inviter whom the target blocks is not delivered [P48]. It takes no room from others, and theirs replace it.
CREATE OR REPLACE FUNCTION parley_invite(channel uuid, inviter uuid, target uuid, max_pending int, a_minute int, OUT code text, OUT effect boolean,
  OUT retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  at timestamptz := date_trunc('milliseconds', clock_timestamp());
  free_at timestamptz;
BEGIN
  effect := false;
  IF EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = channel AND m."userId" = target)
    OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = channel AND i."userId" = target
      AND (NOT parley_blocks(target, i."invitedBy") OR parley_blocks(target, inviter))) THEN RETURN; END IF;

  IF max_pending > 0 AND (
    SELECT count(*) FILTER (WHERE NOT parley_blocks(target, i."invitedBy")) >= max_pending OR count(*) FILTER (WHERE i."invitedBy" = inviter) >= ceil(max_pending / 4.0)
    FROM "ChannelInvite" i WHERE i."userId" = target) THEN
    code := 'too_many_invitations';
    RETURN;
  END IF;

  IF a_minute > 0 THEN
    -- The moderation log also has the invitations that were used, declined or withdrawn since. At most `a_minute` of its lines are read.
    WITH recent AS MATERIALIZED (
      SELECT l."actorId", l."createdAt" + interval '1 minute' AS over_at FROM "ModerationLog" l
      WHERE l."targetId" = target AND l.action = 'invite_user' AND l."createdAt" > at - interval '1 minute'
        AND (l."actorId" = inviter OR NOT parley_blocks(target, l."actorId"))
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

  INSERT INTO "ChannelInvite" ("channelId", "userId", "invitedBy", "createdAt") VALUES (channel, target, inviter, at)
    ON CONFLICT ("channelId", "userId") DO UPDATE SET "invitedBy" = EXCLUDED."invitedBy", "createdAt" = EXCLUDED."createdAt";
  effect := true;
END $$;

-- [P48] Says whether the peer of this member of a direct channel blocks them. Call it for direct channels only.
CREATE OR REPLACE FUNCTION parley_is_blocked(channel uuid, member uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM "DirectPeer" p JOIN "UserBlock" b ON b."userId" = p."peerId" AND b."blockedId" = p."userId"
    WHERE p."channelId" = channel AND p."userId" = member)
$$;

-- [P18]–[P22] Makes users members of channels, which are given by name.
-- batch: [{u: user id, s: login, n: channel name, i: id for the channel if it has to be created}, …]. A cap of 0 means no cap.
-- Returns one row per join: its position `ord` in the batch, and an error code or the channel and the user's place in it at that moment.
-- `last_id` is the id of the entry at `last_seq`.
DROP FUNCTION IF EXISTS parley_join(json, int, int, text, boolean, int, int);
CREATE OR REPLACE FUNCTION parley_join(batch json, max_channels int, max_users int, default_room text, create_missing boolean,
  max_created int DEFAULT 0, created_a_minute int DEFAULT 0)
RETURNS TABLE (ord bigint, code text, channel_id uuid, channel_type text, last_seq bigint, last_id uuid, acl_version bigint, retry_after_ms bigint,
  settings_version int, topic text, slow_mode int, retention int, user_count int, role text, member_since timestamptz, is_moderator boolean,
  muted_until timestamptz)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  todo bigint[];
  made uuid[];
  item record;
  ch "Channel";
  us "User";
BEGIN
  -- Most joins by far are those of members who come back. They need no lock and write nothing. (`LATERAL … LIMIT 1`, here and below, makes
  -- the planner use one index probe per row, whatever sizes it assumes for the tables.)
  FOR item IN
    SELECT b.ord, c.id, c."channelType", c."lastSeq", parley_entry_id(c.id, c."lastSeq") AS last_id, c."aclVersion",
      c."settingsVersion", c.topic, c."slowMode", c.retention, c."userCount", u.role, m.since, mute.until AS muted_until,
      m.since IS NOT NULL AND x.found IS NULL AND parley_role_fits(u.role, c."channelType") AS member,
      -- What parley_can_moderate says of a member who is not banned.
      c."channelType" <> 'direct' AND (
        u.role = 'admin' OR (u.email IS NOT NULL AND (moderates.found OR (u.role = 'moderator' AND c."channelType" = 'moderator')))) AS moderator
    FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    LEFT JOIN LATERAL (
      SELECT o.id, o.role, o.email FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(o, b.s)) LIMIT 1) u ON true
    LEFT JOIN LATERAL (SELECT * FROM "Channel" o WHERE o.name = b.n LIMIT 1) c ON true
    LEFT JOIN LATERAL (SELECT o."joinedAt" AS since FROM "ChannelUser" o WHERE o."channelId" = c.id AND o."userId" = u.id LIMIT 1) m ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" o WHERE o."channelId" = c.id AND o."userId" = u.id
      AND (o."expiresAt" IS NULL OR o."expiresAt" > clock_timestamp()) LIMIT 1) x ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelModerator" o WHERE o."channelId" = c.id AND o."userId" = u.id LIMIT 1) moderates ON true
    LEFT JOIN LATERAL (SELECT o."expiresAt" AS until FROM "ChannelMute" o WHERE o."channelId" = c.id AND o."userId" = u.id
      AND o."expiresAt" > clock_timestamp() LIMIT 1) mute ON true
  LOOP
    IF item.member THEN
      RETURN QUERY SELECT item.ord, NULL::text, item.id, item."channelType"::text, item."lastSeq", item.last_id, item."aclVersion", NULL::bigint,
        item."settingsVersion", item.topic, item."slowMode", item.retention, item."userCount", item.role::text, item.since,
        coalesce(item.moderator, false), item.muted_until;
    ELSE
      todo := todo || item.ord;
    END IF;
  END LOOP;
  IF todo IS NULL THEN RETURN; END IF;

  PERFORM FROM "User" u
    WHERE u.id = ANY (ARRAY(SELECT (b ->> 'u')::uuid FROM json_array_elements(batch) b)) ORDER BY u.id FOR NO KEY UPDATE;
  IF create_missing THEN
    -- Channels are inserted in the order of their names, so that two batches that create the same channels do not deadlock.
    WITH new AS (
      INSERT INTO "Channel" (id, name, "channelType")
      SELECT DISTINCT ON (b.n) b.i, b.n, coalesce(parley_type_of_name(b.n), 'public')
      FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
      CROSS JOIN LATERAL (
        SELECT o AS us FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(o, b.s)) LIMIT 1) u
      WHERE b.ord = ANY (todo) AND b.n NOT LIKE 'direct-%' AND parley_role_fits((u.us).role, coalesce(parley_type_of_name(b.n), 'public'))
        AND (SELECT true FROM "Channel" c WHERE c.name = b.n LIMIT 1) IS NULL
        AND (max_channels = 0 OR b.n = default_room OR parley_count_channels(b.u) < max_channels)
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
    ord := item.ord; channel_id := ch.id; channel_type := ch."channelType"; acl_version := ch."aclVersion";
    last_seq := ch."lastSeq"; last_id := parley_entry_id(ch.id, ch."lastSeq");
    settings_version := ch."settingsVersion"; topic := ch.topic; slow_mode := ch."slowMode"; retention := ch.retention;
    user_count := ch."userCount"; role := us.role; member_since := NULL; is_moderator := NULL; muted_until := NULL;
    code := CASE
      WHEN us.id IS NULL THEN 'authentication_failed'
      WHEN ch.id IS NULL THEN CASE
        WHEN NOT create_missing OR item.n LIKE 'direct-%' THEN 'channel_not_found'
        WHEN NOT parley_role_fits(us.role, coalesce(parley_type_of_name(item.n), 'public')) THEN 'not_authorized'
        ELSE coalesce(parley_judge_creation(us, max_created, created_a_minute), 'too_many_channels') END
      WHEN NOT parley_sees(us, ch) THEN 'channel_not_found'
      WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
      WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
        AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
      WHEN EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id) THEN 'member'
      WHEN item.n = default_room THEN NULL
      WHEN max_channels > 0 AND parley_count_channels(us.id) >= max_channels THEN 'too_many_channels'
      WHEN max_users > 0 AND ch."userCount" >= max_users THEN 'channel_full'
      -- The first member of a channel that this batch created counts as its maker, so the limits on creating apply to them.
      WHEN ch.id = ANY (made) AND ch."userCount" = 0 THEN parley_judge_creation(us, max_created, created_a_minute)
    END;
    retry_after_ms := CASE WHEN code = 'rate_limited' THEN parley_creation_wait(us, created_a_minute) END;
    IF code IS NULL THEN
      INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (ch.id, us.id);
      DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = us.id;
      UPDATE "Channel" c SET "userCount" = c."userCount" + 1 WHERE c.id = ch.id RETURNING c."userCount" INTO user_count;
      IF ch.id = ANY (made) AND ch."userCount" = 0 AND item.n <> default_room THEN
        PERFORM parley_count_creation(us.id, created_a_minute);
      END IF;
      -- The first member of a channel that this batch created becomes its creator and first moderator, unless they are a guest.
      IF ch.id = ANY (made) AND ch."userCount" = 0 AND us.email IS NOT NULL THEN
        UPDATE "Channel" c SET "createdBy" = us.id WHERE c.id = ch.id;
        INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (ch.id, us.id);
      END IF;
    ELSIF code = 'member' THEN
      code := NULL;
    END IF;
    IF code IS NULL THEN
      member_since := (SELECT m."joinedAt" FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id);
      is_moderator := parley_can_moderate(us, ch);
      muted_until := (SELECT x."expiresAt" FROM "ChannelMute" x WHERE x."channelId" = ch.id AND x."userId" = us.id
        AND x."expiresAt" > clock_timestamp());
    END IF;
    RETURN NEXT;
  END LOOP;
  -- Channels were created by what each user had before the batch, and an earlier join of the same batch may have used up a limit. So
  -- channels that nobody joined are deleted again.
  DELETE FROM "Channel" c WHERE c.id = ANY (made) AND c."userCount" = 0;
END $$;

-- [P47] [P48] Judges those senders of a batch of parley_publish that write to a direct channel. Returns two lists by the position of the
-- sender: the codes that refuse their messages, and the users who have to be told of the channel when a message is stored, because it is the
-- channel's first or brings its receiver back. The caller has locked the channels.
CREATE OR REPLACE FUNCTION parley_judge_directs(senders json, OUT refusals text[], OUT told uuid[])
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  SELECT
    array_agg(CASE WHEN ch.id IS NULL THEN NULL WHEN peer.email IS NULL THEN 'user_not_found' WHEN block.found THEN 'blocked' END ORDER BY d.place),
    array_agg(CASE WHEN ch.last_seq = 0 OR cu.found IS NULL THEN peer.id END ORDER BY d.place)
  INTO refusals, told
  FROM ROWS FROM (json_to_recordset(senders) AS (c uuid, u uuid)) WITH ORDINALITY AS d (c, u, place)
  LEFT JOIN LATERAL (SELECT x.id, x."lastSeq" AS last_seq FROM "Channel" x WHERE x.id = d.c AND x."channelType" = 'direct' LIMIT 1) ch ON true
  LEFT JOIN LATERAL (SELECT x."peerId" AS id FROM "DirectPeer" x WHERE x."channelId" = ch.id AND x."userId" = d.u LIMIT 1) p ON true
  LEFT JOIN LATERAL (SELECT x.id, x.email FROM "User" x WHERE x.id = p.id LIMIT 1) peer ON true
  LEFT JOIN LATERAL (SELECT true AS found FROM "UserBlock" x WHERE x."userId" = p.id AND x."blockedId" = d.u LIMIT 1) block ON true
  LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = p.id LIMIT 1) cu ON true;
END $$;

-- [P42] Judges whether a user without a connection may send a signal to a channel, as parley_publish judges a message. Returns the channel, or a
-- code that refuses.
CREATE OR REPLACE FUNCTION parley_judge_signal(user_id uuid, channel_name text, login uuid)
RETURNS TABLE (code text, channel_id uuid, retry_after_ms bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
  us "User" := parley_actor(user_id, login);
  ch "Channel";
  muted_until timestamptz;
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  muted_until := (SELECT x."expiresAt" FROM "ChannelMute" x
    WHERE x."channelId" = ch.id AND x."userId" = us.id AND x."expiresAt" > clock_timestamp());
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
      AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
    WHEN NOT EXISTS (SELECT FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = us.id) THEN 'not_in_channel'
    WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
    WHEN muted_until IS NOT NULL THEN 'muted'
    WHEN ch."channelType" = 'direct' THEN (parley_judge_directs(json_build_array(json_build_object('c', ch.id, 'u', us.id)))).refusals[1]
  END;
  channel_id := ch.id;
  IF code = 'muted' THEN retry_after_ms := greatest(1, ceil(extract(epoch FROM muted_until - clock_timestamp()) * 1000)); END IF;
  RETURN NEXT;
END $$;

-- [P18] Returns null if this user may give a channel of this name this type, else an error code. Names `direct-…` belong to direct
-- channels, which are made by parley_open_direct only [P47].
CREATE OR REPLACE FUNCTION parley_judge_type(us "User", channel_name text, new_type "ChannelType") RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN us.id IS NULL OR us."disabledAt" IS NOT NULL THEN 'authentication_failed'
    WHEN channel_name LIKE 'direct-%' THEN 'invalid_channel_name'
    WHEN us.email IS NULL OR coalesce(parley_type_of_name(channel_name), new_type) <> new_type
      OR (new_type IN ('admin', 'moderator') AND us.role <> 'admin') THEN 'not_authorized'
  END
$$;

-- Applies one act of moderation to a user in a channel: invite_user, kick_user, ban_user, unban_user, mute_user, unmute_user,
-- add_moderator or remove_moderator. `duration` is in seconds; null means without end (bans only).
-- `effect` is false if there was nothing to do. `ended` says that a membership ended, which raises the channel's aclVersion.
-- `tell` says that the target has to be told [P57]: they are a member, are invited, or were told of the ban or mute that ends now.
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
  is_hidden boolean;
  times_told int;
BEGIN
  IF act = 'invite_user' THEN
    -- The stronger lock makes concurrent invitations to one user wait for each other, so that the limits hold exactly [P57].
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
  -- [P48] The target blocks the user who invited them, and so is not told of anything that concerns the invitation.
  is_hidden := EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id AND parley_blocks(target.id, i."invitedBy"));
  IF act IN ('ban_user', 'mute_user') THEN expires_at := at + make_interval(secs => duration); END IF;

  IF act = 'invite_user' THEN
    IF is_banned THEN code := 'banned'; RETURN NEXT; RETURN; END IF;
    SELECT r.code, r.effect, r.effect AND NOT parley_blocks(target.id, us.id), r.retry_after_ms INTO code, effect, tell, retry_after_ms
      FROM parley_invite(ch.id, us.id, target.id, max_invitations, invitations_a_minute) r;
  ELSIF act IN ('kick_user', 'ban_user') THEN
    DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id;
    effect := FOUND;
    SELECT r.acl_version, r.ended INTO acl_version, ended FROM parley_end_membership(ch.id, target.id) r;
    tell := (effect AND NOT is_hidden) OR ended;
    DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
    effect := effect OR ended OR FOUND;
    IF act = 'ban_user' THEN
      -- A user who was told of a ban is also told of the next two bans that replace it, so that they know when it ends.
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
      OR (NOT is_hidden AND EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id));
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
  -- Instances that the bus does not reach see by the version that they have to read the mutes again [P42].
  IF effect AND act IN ('mute_user', 'unmute_user') THEN
    UPDATE "Channel" c SET "aclVersion" = c."aclVersion" + 1 WHERE c.id = ch.id RETURNING c."aclVersion" INTO acl_version;
  END IF;
  IF effect THEN PERFORM parley_log(us.id, act, target.id, ch, why, expires_at, log_id); END IF;
  RETURN NEXT;
END $$;

-- [P47] Opens the direct channel of the acting user and `peer_id`: makes it, with both as members, or makes a user who has left it a member
-- again. `new_id` is the id of a channel that is made; making one counts towards `created_a_minute` [P58]; 0 means no limit.
-- Returns an error code, or the channel's name. `made`: the channel is new. `effect`: the user was not a member before.
CREATE OR REPLACE FUNCTION parley_open_direct(user_id uuid, login uuid, peer_id uuid, new_id uuid, created_a_minute int)
RETURNS TABLE (code text, channel_name text, made boolean, effect boolean, retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  peer "User";
  ch "Channel";
BEGIN
  -- Both users ask at once, maybe at two instances: the second waits here, and then finds the channel that the first has made.
  PERFORM FROM "User" u WHERE u.id IN (user_id, peer_id) ORDER BY u.id FOR NO KEY UPDATE;
  channel_name := parley_direct_name(user_id, peer_id);
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  SELECT * INTO peer FROM "User" u WHERE u.id = peer_id AND u.email IS NOT NULL AND u."disabledAt" IS NULL;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN us.email IS NULL OR us.id = peer_id THEN 'not_authorized'
    WHEN peer.id IS NULL THEN 'user_not_found'
    WHEN parley_blocks(peer.id, us.id) THEN 'blocked'
    -- An instance of the previous release may have made a channel of this name while the migration ran.
    WHEN ch."channelType" <> 'direct' THEN 'channel_exists'
    WHEN ch.id IS NULL AND parley_creation_wait(us, created_a_minute) > 0 THEN 'rate_limited'
  END;
  made := ch.id IS NULL;
  IF code = 'rate_limited' THEN retry_after_ms := parley_creation_wait(us, created_a_minute); END IF;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  IF made THEN
    INSERT INTO "Channel" (id, name, "channelType", "userCount") VALUES (new_id, channel_name, 'direct', 2);
    INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (new_id, us.id), (new_id, peer.id);
    INSERT INTO "DirectPeer" ("channelId", "userId", "peerId") VALUES (new_id, us.id, peer.id), (new_id, peer.id, us.id);
    PERFORM parley_count_creation(us.id, created_a_minute);
    effect := true;
  ELSE
    INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (ch.id, us.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
    UPDATE "Channel" c SET "userCount" = c."userCount" + 1 WHERE c.id = ch.id AND effect;
  END IF;
  RETURN NEXT;
END $$;

-- Says whether the user may change or delete the channel and appoint its moderators: its creator and admins may. A creator whose role no
-- longer fits the channel's type may not [P15], and a guest never may [P16]. Nobody owns a direct channel [P47].
CREATE OR REPLACE FUNCTION parley_owns(us "User", ch "Channel") RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT ch."channelType" <> 'direct' AND (us.role = 'admin'
    OR (us.email IS NOT NULL AND coalesce(ch."createdBy" = us.id, false) AND parley_role_fits(us.role, ch."channelType")))
$$;

-- [P47] Returns the other user of a direct channel as JSON, {user_id, username}; null if they are gone altogether.
CREATE OR REPLACE FUNCTION parley_peer(channel uuid, member uuid) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('user_id', u.id, 'username', u.name)
  FROM "DirectPeer" p JOIN "User" u ON u.id = p."peerId" WHERE p."channelId" = channel AND p."userId" = member
$$;

-- [P26]–[P28] Stores a batch of messages. Each message gets the next number of its channel or is refused.
-- senders: [{c: channel id, u: user id, s: login?}, …], no two alike: each sender is checked once for all their messages in the channel.
-- messages: [{p: position of the sender, from 1, i: message id, m: text, k: client id?, r: id of the message that it replies to?,
-- d: data as JSON text?}, …], no combination of c, u and k twice. Instances of the previous release send no r and d.
-- Returns one row per message, in the order of the batch: an error code, or null with id, seq and created_at. `duplicate` says that the
-- client id was stored before; the row then describes the stored message. `told` is the user who has to be told of a direct channel, because
-- this message is its first or has brought them back [P47].
-- (parley_publish(json) stays for instances of the previous release.)
DROP FUNCTION IF EXISTS parley_publish(json, json);
CREATE OR REPLACE FUNCTION parley_publish(senders json, messages json)
RETURNS TABLE (code text, id uuid, seq bigint, created_at timestamptz, duplicate boolean, retry_after_ms bigint, told uuid)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  at timestamptz;
  is_slow boolean;
  waits bigint[];
  is_direct boolean;
  direct_refusals text[];
  direct_told uuid[];
BEGIN
  SELECT bool_or(l.is_slow), bool_or(l.is_direct) INTO is_slow, is_direct FROM (
    SELECT c."slowMode" > 0 AS is_slow, c."channelType" = 'direct' AS is_direct FROM "Channel" c
    WHERE c.id IN (SELECT (s ->> 'c')::uuid FROM json_array_elements(senders) s) ORDER BY c.id FOR NO KEY UPDATE) l;
  at := date_trunc('milliseconds', clock_timestamp());
  IF is_slow THEN waits := parley_slow_mode(senders, messages, at); END IF;
  IF is_direct THEN SELECT * INTO direct_refusals, direct_told FROM parley_judge_directs(senders); END IF;
  RETURN QUERY
  WITH standing AS MATERIALIZED (
    -- `LATERAL … LIMIT 1` makes the planner use one index probe per row, whatever sizes it assumes for the tables.
    SELECT d.place, d.c, d.u, ch.last_seq, mute.until AS muted_until, CASE
      WHEN ch.id IS NULL THEN 'channel_not_found'
      WHEN us.role IS NULL THEN 'authentication_failed'
      WHEN ban.found THEN 'banned'
      WHEN cu.found IS NULL THEN 'not_in_channel'
      WHEN NOT parley_role_fits(us.role, ch.type) THEN 'not_authorized'
      WHEN mute.until IS NOT NULL THEN 'muted'
      ELSE direct_refusals[d.place]
    END AS refusal
    FROM ROWS FROM (json_to_recordset(senders) AS (c uuid, u uuid, s uuid)) WITH ORDINALITY AS d (c, u, s, place)
    LEFT JOIN LATERAL (SELECT x.id, x."lastSeq" AS last_seq, x."channelType" AS type FROM "Channel" x WHERE x.id = d.c LIMIT 1) ch ON true
    LEFT JOIN LATERAL (SELECT x.role FROM "User" x WHERE x.id = d.u AND x."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(x, d.s)) LIMIT 1) us ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelUser" x WHERE x."channelId" = d.c AND x."userId" = d.u LIMIT 1) cu ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" x WHERE x."channelId" = d.c AND x."userId" = d.u
      AND (x."expiresAt" IS NULL OR x."expiresAt" > at) LIMIT 1) ban ON true
    LEFT JOIN LATERAL (SELECT x."expiresAt" AS until FROM "ChannelMute" x WHERE x."channelId" = d.c AND x."userId" = d.u
      AND x."expiresAt" > at LIMIT 1) mute ON true
  ), judged AS MATERIALIZED (
    SELECT b.ord, b.p, b.i, b.m, b.k, b.r, b.d, s.c, s.u, own.refusal, s.last_seq, s.muted_until, old.id AS old_id, old.seq AS old_seq, old."createdAt" AS old_at,
      row_number() OVER (PARTITION BY s.c, own.refusal IS NULL AND old.id IS NULL ORDER BY b.ord) AS place
    FROM ROWS FROM (json_to_recordset(messages) AS (p int, i uuid, m text, k text, r uuid, d text)) WITH ORDINALITY AS b (p, i, m, k, r, d, ord)
    JOIN standing s ON s.place = b.p
    CROSS JOIN LATERAL (SELECT CASE
      WHEN s.refusal IS NOT NULL THEN s.refusal
      WHEN b.r IS NOT NULL AND NOT parley_takes_reply(s.c, b.r) THEN 'message_not_found'
      WHEN waits[b.ord] IS NOT NULL THEN 'rate_limited'
    END AS refusal) own
    LEFT JOIN LATERAL (SELECT x.id, x.seq, x."createdAt" FROM "Message" x
      WHERE x."channelId" = s.c AND x."userId" = s.u AND x."clientId" = b.k LIMIT 1) old ON b.k IS NOT NULL
  ), stored AS (
    INSERT INTO "Message" ("channelId", seq, id, "userId", content, "clientId", "replyTo", data, "createdAt")
    SELECT j.c, j.last_seq + j.place, j.i, j.u, j.m, j.k, j.r, j.d, at FROM judged j WHERE j.refusal IS NULL AND j.old_id IS NULL
  ), numbered AS (
    UPDATE "Channel" ch SET "lastSeq" = n.last FROM (
      SELECT j.c, max(j.last_seq + j.place) AS last FROM judged j WHERE j.refusal IS NULL AND j.old_id IS NULL GROUP BY j.c
    ) n WHERE ch.id = n.c
  )
  SELECT CASE WHEN j.old_id IS NULL THEN j.refusal END, coalesce(j.old_id, j.i), coalesce(j.old_seq, j.last_seq + j.place),
    coalesce(j.old_at, at), j.old_id IS NOT NULL,
    CASE j.refusal WHEN 'muted' THEN ceil(extract(epoch FROM j.muted_until - at) * 1000)::bigint WHEN 'rate_limited' THEN waits[j.ord] END,
    CASE WHEN j.refusal IS NULL AND j.old_id IS NULL THEN direct_told[j.p] END
  FROM judged j ORDER BY j.ord;
  IF is_slow THEN
    INSERT INTO "LastSend" ("channelId", "userId", "sentAt")
      SELECT DISTINCT m."channelId", m."userId", at FROM json_array_elements(messages) b JOIN "Message" m ON m.id = (b ->> 'i')::uuid
      JOIN "Channel" c ON c.id = m."channelId" AND c."slowMode" > 0
      ON CONFLICT ("channelId", "userId") DO UPDATE SET "sentAt" = EXCLUDED."sentAt";
  END IF;
  IF is_direct THEN PERFORM parley_tell_peers(messages, at); END IF;
END $$;

-- [P19] Says whether the channel is visible to this user. Guests (users without email) see no private channel. Only members see a direct
-- channel, and no admin [P47]. The result is never null, because callers negate it.
CREATE OR REPLACE FUNCTION parley_sees(u "User", c "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT c."channelType" NOT IN ('private', 'direct') OR (u.role = 'admin' AND c."channelType" <> 'direct') OR (u.email IS NOT NULL AND (
    coalesce(c."createdBy" = u.id, false)
    OR EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = c.id AND m."userId" = u.id)
    OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = c.id AND i."userId" = u.id)))
$$;

-- [P47] Completes a batch of parley_publish that has messages to direct channels. A receiver who has left the channel becomes a member again.
-- Records who has to be told of the channel, so that every instance finds it within seconds, also without the bus.
CREATE OR REPLACE FUNCTION parley_tell_peers(messages json, at timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  WITH written AS (
    SELECT p."channelId", p."peerId", min(m.seq) AS first
    FROM json_array_elements(messages) b JOIN "Message" m ON m.id = (b ->> 'i')::uuid
    JOIN "DirectPeer" p ON p."channelId" = m."channelId" AND p."userId" = m."userId" GROUP BY p."channelId", p."peerId"
  ), back AS (
    INSERT INTO "ChannelUser" ("channelId", "userId") SELECT w."channelId", w."peerId" FROM written w
    ON CONFLICT DO NOTHING RETURNING "channelId", "userId"
  ), counted AS (
    UPDATE "Channel" c SET "userCount" = c."userCount" + 1 FROM back WHERE c.id = back."channelId"
  )
  UPDATE "DirectPeer" p SET "toldAt" = at FROM written w LEFT JOIN back ON back."channelId" = w."channelId" AND back."userId" = w."peerId"
    WHERE p."channelId" = w."channelId" AND p."userId" = w."peerId" AND (w.first = 1 OR back."userId" IS NOT NULL);
END $$;

-- Names `direct-…` are reserved from now on [P47]: channels that have one are renamed, mostly to `was-direct-…`. Their members, messages and
-- settings stay. Instances of the previous release go on with the old name for the connections that they have. This reads the table of
-- channels once, and locks only the rows that it renames.
DO $$
DECLARE
  ch record;
  free text;
  serial int;
BEGIN
  FOR ch IN SELECT id, name FROM "Channel" WHERE name LIKE 'direct-%' AND "channelType" <> 'direct' ORDER BY id LOOP
    free := left('was-' || ch.name, 64);
    serial := 1;
    WHILE EXISTS (SELECT FROM "Channel" c WHERE c.name = free) LOOP
      serial := serial + 1;
      free := left('was-' || ch.name, 63 - length(serial::text)) || '-' || serial;
    END LOOP;
    UPDATE "Channel" SET name = free WHERE id = ch.id;
  END LOOP;
END $$;
