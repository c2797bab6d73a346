-- Erases an account: it is then disabled, without email, name and password hash, in no channel, and all its logins are ended. Its messages
-- stay, but not the copies of them in reports. A direct channel stays for its other user [P47], unless that user is erased too.
-- `actor_id` is null if users erase their own account; `login` is the login of the acting user.
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
  PERFORM parley_erase_from_reports(target_id);
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

-- [P18]–[P22] Makes users members of channels, which are given by name.
-- batch: [{u: user id, s: login, n: channel name, i: id for the channel if it has to be created}, …]. A cap of 0 means no cap.
-- Returns one row per join: its position `ord` in the batch, and an error code or the channel and the user's place in it at that moment.
-- `last_id` is the id of the entry at `last_seq`. `is_new`: this join began the membership.
DROP FUNCTION IF EXISTS parley_join(json, int, int, text, boolean, int, int);
CREATE OR REPLACE FUNCTION parley_join(batch json, max_channels int, max_users int, default_room text, create_missing boolean,
  max_created int DEFAULT 0, created_a_minute int DEFAULT 0)
RETURNS TABLE (ord bigint, code text, channel_id uuid, channel_type text, last_seq bigint, last_id uuid, acl_version bigint, retry_after_ms bigint,
  settings_version int, topic text, slow_mode int, retention int, user_count int, role text, member_since timestamptz, is_moderator boolean,
  muted_until timestamptz, read_seq bigint, is_new boolean)
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
      c."settingsVersion", c.topic, c."slowMode", c.retention, c."userCount", u.role, m.since, m.read_seq, mute.until AS muted_until,
      m.since IS NOT NULL AND x.found IS NULL AND parley_role_fits(u.role, c."channelType") AS member,
      -- What parley_can_moderate says of a member who is not banned.
      c."channelType" <> 'direct' AND (
        u.role = 'admin' OR (u.email IS NOT NULL AND (moderates.found OR (u.role = 'moderator' AND c."channelType" = 'moderator')))) AS moderator
    FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    LEFT JOIN LATERAL (
      SELECT o.id, o.role, o.email FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(o, b.s)) LIMIT 1) u ON true
    LEFT JOIN LATERAL (SELECT * FROM "Channel" o WHERE o.name = b.n LIMIT 1) c ON true
    LEFT JOIN LATERAL (SELECT o."joinedAt" AS since, coalesce(o."readSeq", parley_read_start(o."channelId")) AS read_seq FROM "ChannelUser" o WHERE o."channelId" = c.id AND o."userId" = u.id LIMIT 1) m ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" o WHERE o."channelId" = c.id AND o."userId" = u.id
      AND (o."expiresAt" IS NULL OR o."expiresAt" > clock_timestamp()) LIMIT 1) x ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelModerator" o WHERE o."channelId" = c.id AND o."userId" = u.id LIMIT 1) moderates ON true
    LEFT JOIN LATERAL (SELECT o."expiresAt" AS until FROM "ChannelMute" o WHERE o."channelId" = c.id AND o."userId" = u.id
      AND o."expiresAt" > clock_timestamp() LIMIT 1) mute ON true
  LOOP
    IF item.member THEN
      RETURN QUERY SELECT item.ord, NULL::text, item.id, item."channelType"::text, item."lastSeq", item.last_id, item."aclVersion", NULL::bigint,
        item."settingsVersion", item.topic, item."slowMode", item.retention, item."userCount", item.role::text, item.since,
        coalesce(item.moderator, false), item.muted_until, item.read_seq, false;
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
    user_count := ch."userCount"; role := us.role; member_since := NULL; is_moderator := NULL; muted_until := NULL; read_seq := NULL;
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
    is_new := code IS NULL;
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
      SELECT m."joinedAt", coalesce(m."readSeq", parley_read_start(ch.id)) INTO member_since, read_seq
        FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id;
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

-- [P47] Returns the other user of a direct channel as JSON, {user_id, username, handle}; null if they are gone altogether.
CREATE OR REPLACE FUNCTION parley_peer(channel uuid, member uuid) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('user_id', u.id, 'username', u.name, 'handle', u.handle)
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
    UPDATE "Channel" ch SET "lastSeq" = n.last, "lastMessageAt" = at FROM (
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
