-- [P55] The user who acts, as they are now: all null where they are gone or disabled, or the login they act by has ended.
-- Call it in a statement of its own after those that take the locks, so that it sees what committed while they waited.
CREATE OR REPLACE FUNCTION parley_actor(user_id uuid, login uuid) RETURNS "User" LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = user_id AND u."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(u, login));
  RETURN us;
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
      SELECT o.id, o.role FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(o, b.s)) LIMIT 1) u ON true
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
        SELECT o AS us FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(o, b.s)) LIMIT 1) u
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

-- [P12] [P56] One row where this is a login of the user's that is not over, else none. Null is a guest's, who has none, and what an
-- instance of the release before sends. (As a set it becomes a part of the statement that asks, whose `enable_seqscan = off` it needs in
-- PL/pgSQL. PostgreSQL calls a function that returns a boolean once for each row: 10 µs.)
CREATE OR REPLACE FUNCTION parley_live_login(us "User", login uuid) RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true WHERE login IS NULL OR (
    EXISTS (SELECT FROM "RefreshToken" t
      WHERE t."familyId" = login AND t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId")))
    AND NOT EXISTS (SELECT FROM "RefreshToken" t WHERE t."familyId" = login AND t."revokedAt" IS NOT NULL))
$$;

-- [P26]–[P28] Stores a batch of messages, each numbered by its channel or refused.
-- senders: [{c: channel id, u: user id, s: login?}, …], no two alike, because a sender's standing in a channel is the same for all their
-- messages of the batch. messages: [{p: place of the sender, from 1, i: message id, m: text, k: client id?}, …], no (c, u, k) twice.
-- One row per message, in order: code null and id, seq, created_at; `duplicate` where the client id was stored before.
-- (parley_publish(json) stays for instances of the release before.)
CREATE OR REPLACE FUNCTION parley_publish(senders json, messages json)
RETURNS TABLE (code text, id uuid, seq bigint, created_at timestamptz, duplicate boolean, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  at timestamptz;
BEGIN
  PERFORM FROM "Channel" c
    WHERE c.id IN (SELECT (s ->> 'c')::uuid FROM json_array_elements(senders) s) ORDER BY c.id FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  RETURN QUERY
  WITH standing AS MATERIALIZED (
    -- LATERAL … LIMIT 1: one index probe each, whatever the planner believes of the tables' sizes.
    SELECT d.place, d.c, d.u, ch.last_seq, mute.until AS muted_until, CASE
      WHEN ch.id IS NULL THEN 'channel_not_found'
      WHEN us.role IS NULL THEN 'authentication_failed'
      WHEN ban.found THEN 'banned'
      WHEN cu.found IS NULL THEN 'not_in_channel'
      WHEN NOT parley_role_fits(us.role, ch.type) THEN 'not_authorized'
      WHEN mute.until IS NOT NULL THEN 'muted'
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
    SELECT b.ord, b.i, b.m, b.k, s.c, s.u, s.refusal, s.last_seq, s.muted_until, old.id AS old_id, old.seq AS old_seq, old."createdAt" AS old_at,
      row_number() OVER (PARTITION BY s.c, s.refusal IS NULL AND old.id IS NULL ORDER BY b.ord) AS place
    FROM ROWS FROM (json_to_recordset(messages) AS (p int, i uuid, m text, k text)) WITH ORDINALITY AS b (p, i, m, k, ord)
    JOIN standing s ON s.place = b.p
    LEFT JOIN LATERAL (SELECT x.id, x.seq, x."createdAt" FROM "Message" x
      WHERE x."channelId" = s.c AND x."userId" = s.u AND x."clientId" = b.k LIMIT 1) old ON b.k IS NOT NULL
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

-- Marks a refresh token used and stores its successor. False where it was used or had expired by then, or its login was over.
CREATE OR REPLACE FUNCTION parley_refresh_login(
  used_hash bytea, token_id uuid, token_hash bytea, token_salt bytea, lifetime int
) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  token "RefreshToken";
  us "User";
BEGIN
  SELECT * INTO token FROM "RefreshToken" t WHERE t."tokenHash" = used_hash;
  -- Whatever ends logins takes a stronger lock on the user: it comes before this statement and is seen below, or sees the successor.
  SELECT * INTO us FROM "User" u WHERE u.id = token."userId" AND u."disabledAt" IS NULL FOR SHARE;
  IF us.id IS NULL OR NOT EXISTS (SELECT FROM parley_live_login(us, token."familyId")) THEN RETURN false; END IF;
  UPDATE "RefreshToken" t SET "usedAt" = now()
    WHERE t.id = token.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND t."expiresAt" > now();
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt")
    VALUES (token_id, token_hash, token_salt, us.id, token."familyId", now() + make_interval(secs => lifetime), parley_login_time(us));
  RETURN true;
END $$;
