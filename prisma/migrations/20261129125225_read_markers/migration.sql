-- AlterTable
ALTER TABLE "Channel" ADD COLUMN     "lastMessageAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "ChannelUser" ADD COLUMN     "readSeq" BIGINT;

-- [P43] Trigger on "ChannelUser": a new member has read everything that is in the channel already. Whoever makes members has locked the channel
-- or has just made it, so `lastSeq` is that of the moment at which the membership begins.
CREATE OR REPLACE FUNCTION parley_begin_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."readSeq" := coalesce(NEW."readSeq", (SELECT c."lastSeq" FROM "Channel" c WHERE c.id = NEW."channelId"));
  RETURN NEW;
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
      u.role = 'admin' OR (u.email IS NOT NULL AND (moderates.found OR (u.role = 'moderator' AND c."channelType" = 'moderator'))) AS moderator
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
    ord := item.ord; channel_id := ch.id; channel_type := ch."channelType"; acl_version := ch."aclVersion";
    last_seq := ch."lastSeq"; last_id := parley_entry_id(ch.id, ch."lastSeq");
    settings_version := ch."settingsVersion"; topic := ch.topic; slow_mode := ch."slowMode"; retention := ch.retention;
    user_count := ch."userCount"; role := us.role; member_since := NULL; is_moderator := NULL; muted_until := NULL; read_seq := NULL;
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

-- [P43] Judges whether a user may mark a channel as read. Returns the channel's id and the `seq` of its latest entry, or a code that refuses.
CREATE OR REPLACE FUNCTION parley_judge_read(user_id uuid, channel_name text, login uuid)
RETURNS TABLE (code text, channel_id uuid, last_seq bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
  us "User" := parley_actor(user_id, login);
  ch "Channel";
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
      AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
    WHEN NOT EXISTS (SELECT FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = us.id) THEN 'not_in_channel'
    WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
  END;
  channel_id := ch.id;
  last_seq := ch."lastSeq";
  RETURN NEXT;
END $$;

-- [P44] Returns the time of a channel's newest message. `stored` is its `lastMessageAt`, which is null for a channel that has had no message since
-- the column was added.
CREATE OR REPLACE FUNCTION parley_last_message_at(channel uuid, stored timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce(stored, (SELECT m."createdAt" FROM "Message" m WHERE m."channelId" = channel ORDER BY m.seq DESC LIMIT 1))
$$;

-- [P43] Raises the positions up to which members have read.
-- marks: [{c: channel id, u: user id, q: seq}, …], no combination of c and u twice.
-- Returns a row for each mark that is settled: its position `ord` in the batch, the member's position before and after it, and the channel's number
-- of members; `before` is null for whoever is no member. A mark whose row somebody else has locked is not settled: this function waits for no
-- lock, so that it holds up nobody and cannot deadlock with the ends of memberships. It locks no channel.
CREATE OR REPLACE FUNCTION parley_mark_read(marks json)
RETURNS TABLE (ord bigint, before bigint, reached bigint, user_count int) LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  RETURN QUERY
  WITH given AS MATERIALIZED (
    SELECT b.ord, b.c, b.u, b.q FROM ROWS FROM (json_to_recordset(marks) AS (c uuid, u uuid, q bigint)) WITH ORDINALITY AS b (c, u, q, ord)
  ), held AS MATERIALIZED (
    SELECT g.ord, g.c, g.u, m.before, greatest(m.before, least(g.q, ch.last_seq)) AS reached, ch.user_count
    FROM given g
    CROSS JOIN LATERAL (SELECT x."lastSeq" AS last_seq, x."userCount" AS user_count FROM "Channel" x WHERE x.id = g.c LIMIT 1) ch
    CROSS JOIN LATERAL (SELECT coalesce(x."readSeq", parley_read_start(x."channelId")) AS before FROM "ChannelUser" x
      WHERE x."channelId" = g.c AND x."userId" = g.u LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) m
  ), raised AS (
    UPDATE "ChannelUser" m SET "readSeq" = h.reached FROM held h WHERE m."channelId" = h.c AND m."userId" = h.u AND h.reached > h.before
  )
  SELECT g.ord, h.before, h.reached, h.user_count FROM given g LEFT JOIN held h ON h.ord = g.ord
  WHERE h.ord IS NOT NULL OR NOT EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = g.c AND m."userId" = g.u);
END $$;

-- [P26]–[P28] Stores a batch of messages. Each message gets the next number of its channel or is refused.
-- senders: [{c: channel id, u: user id, s: login?}, …], no two alike: each sender is checked once for all their messages in the channel.
-- messages: [{p: position of the sender, from 1, i: message id, m: text, k: client id?, r: id of the message that it replies to?,
-- d: data as JSON text?}, …], no combination of c, u and k twice. Instances of the previous release send no r and d.
-- Returns one row per message, in the order of the batch: an error code, or null with id, seq and created_at. `duplicate` says that the
-- client id was stored before; the row then describes the stored message.
-- (parley_publish(json) stays for instances of the previous release.)
CREATE OR REPLACE FUNCTION parley_publish(senders json, messages json)
RETURNS TABLE (code text, id uuid, seq bigint, created_at timestamptz, duplicate boolean, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  at timestamptz;
  is_slow boolean;
  waits bigint[];
BEGIN
  SELECT bool_or(l.is_slow) INTO is_slow FROM (SELECT c."slowMode" > 0 AS is_slow FROM "Channel" c
    WHERE c.id IN (SELECT (s ->> 'c')::uuid FROM json_array_elements(senders) s) ORDER BY c.id FOR NO KEY UPDATE) l;
  at := date_trunc('milliseconds', clock_timestamp());
  IF is_slow THEN waits := parley_slow_mode(senders, messages, at); END IF;
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
    SELECT b.ord, b.i, b.m, b.k, b.r, b.d, s.c, s.u, own.refusal, s.last_seq, s.muted_until, old.id AS old_id, old.seq AS old_seq, old."createdAt" AS old_at,
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
    CASE j.refusal WHEN 'muted' THEN ceil(extract(epoch FROM j.muted_until - at) * 1000)::bigint WHEN 'rate_limited' THEN waits[j.ord] END
  FROM judged j ORDER BY j.ord;
  IF is_slow THEN
    INSERT INTO "LastSend" ("channelId", "userId", "sentAt")
      SELECT DISTINCT m."channelId", m."userId", at FROM json_array_elements(messages) b JOIN "Message" m ON m.id = (b ->> 'i')::uuid
      JOIN "Channel" c ON c.id = m."channelId" AND c."slowMode" > 0
      ON CONFLICT ("channelId", "userId") DO UPDATE SET "sentAt" = EXCLUDED."sentAt";
  END IF;
END $$;

-- [P43] Returns the `seq` up to which a membership without a position of its own counts as read: such a membership is older than the positions.
CREATE OR REPLACE FUNCTION parley_read_start(channel uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT s.seq FROM "ReadStart" s WHERE s."channelId" = channel), 0)
$$;

-- [P44] Counts the messages of others after a `seq` that are not deleted, 100 at most. The settings make the planner walk along the primary key until
-- it has counted enough: by the statistics alone it may expect few such messages, and read all of the channel to sort them.
CREATE OR REPLACE FUNCTION parley_unread_count(channel uuid, reader uuid, read_seq bigint) RETURNS int LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
  RETURN (SELECT count(*) FROM (SELECT FROM "Message" m
    WHERE m."channelId" = channel AND m.seq > read_seq AND m."userId" <> reader AND m."deletedAt" IS NULL ORDER BY m.seq LIMIT 100) n);
END $$;

CREATE TRIGGER "ChannelUser_begin_reading" BEFORE INSERT ON "ChannelUser" FOR EACH ROW EXECUTE FUNCTION parley_begin_reading();
