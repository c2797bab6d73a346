-- AlterTable
ALTER TABLE "Channel" ADD COLUMN     "slowMode" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "LastSend" (
    "channelId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "sentAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "LastSend_pkey" PRIMARY KEY ("channelId","userId")
);

-- CreateIndex
CREATE INDEX "LastSend_sentAt_idx" ON "LastSend"("sentAt");

-- Creates a channel, with its creator as a member and the first moderator. Returns null or an error code. A cap of 0 means no cap.
-- settings: {topic?, slow_mode?} [P50].
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
  IF max_channels > 0 AND (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = us.id) >= max_channels THEN RETURN 'too_many_channels'; END IF;
  refusal := parley_judge_creation(us, max_created, created_a_minute);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  INSERT INTO "Channel" (id, name, "channelType", "createdBy", "userCount", topic, "slowMode")
    VALUES (id, channel_name, new_type, us.id, 1, coalesce(settings ->> 'topic', ''), coalesce((settings ->> 'slow_mode')::int, 0))
    ON CONFLICT (name) DO NOTHING;
  IF NOT FOUND THEN RETURN 'channel_exists'; END IF;
  INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (id, us.id);
  INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (id, us.id);
  PERFORM parley_count_creation(us.id, created_a_minute);
  RETURN NULL;
END $$;

-- [P26]–[P28] Stores a batch of messages. Each message gets the next number of its channel or is refused.
-- senders: [{c: channel id, u: user id, s: login?}, …], no two alike: each sender is checked once for all their messages in the channel.
-- messages: [{p: position of the sender, from 1, i: message id, m: text, k: client id?}, …], no combination of c, u and k twice.
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
    SELECT b.ord, b.i, b.m, b.k, s.c, s.u, r.refusal, s.last_seq, s.muted_until, old.id AS old_id, old.seq AS old_seq, old."createdAt" AS old_at,
      row_number() OVER (PARTITION BY s.c, r.refusal IS NULL AND old.id IS NULL ORDER BY b.ord) AS place
    FROM ROWS FROM (json_to_recordset(messages) AS (p int, i uuid, m text, k text)) WITH ORDINALITY AS b (p, i, m, k, ord)
    JOIN standing s ON s.place = b.p
    CROSS JOIN LATERAL (SELECT coalesce(s.refusal, CASE WHEN waits[b.ord] IS NOT NULL THEN 'rate_limited' END) AS refusal) r
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
    CASE j.refusal WHEN 'muted' THEN ceil(extract(epoch FROM j.muted_until - at) * 1000)::bigint WHEN 'rate_limited' THEN waits[j.ord] END
  FROM judged j ORDER BY j.ord;
  IF is_slow THEN
    INSERT INTO "LastSend" ("channelId", "userId", "sentAt")
      SELECT DISTINCT m."channelId", m."userId", at FROM json_array_elements(messages) b JOIN "Message" m ON m.id = (b ->> 'i')::uuid
      JOIN "Channel" c ON c.id = m."channelId" AND c."slowMode" > 0
      ON CONFLICT ("channelId", "userId") DO UPDATE SET "sentAt" = EXCLUDED."sentAt";
  END IF;
END $$;

-- [P50] Judges a batch of parley_publish by the slow mode of its channels. Returns, for each message by its position, the milliseconds until
-- its sender may send again, or null for a message that slow mode does not hold back. Of one user's messages in a channel only the first may
-- pass. Moderators are exempt, and a message that was stored before under its client id does not count.
-- The caller has locked the channels and keeps "LastSend" up to date.
CREATE OR REPLACE FUNCTION parley_slow_mode(senders json, messages json, at timestamptz) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  RETURN (
    WITH slowed AS MATERIALIZED (
      SELECT d.place, d.c, d.u, make_interval(secs => (x.ch)."slowMode") AS pause, last."sentAt" AS sent_at
      FROM ROWS FROM (json_to_recordset(senders) AS (c uuid, u uuid, s uuid)) WITH ORDINALITY AS d (c, u, s, place)
      JOIN LATERAL (SELECT o AS ch FROM "Channel" o WHERE o.id = d.c AND o."slowMode" > 0 LIMIT 1) x ON true
      JOIN LATERAL parley_actor(d.u, d.s) us ON us.id IS NOT NULL
      LEFT JOIN LATERAL (SELECT o."sentAt" FROM "LastSend" o WHERE o."channelId" = d.c AND o."userId" = d.u LIMIT 1) last ON true
      WHERE NOT parley_can_moderate(us, x.ch)
    ), fresh AS (
      SELECT b.ord, s.pause, s.sent_at, row_number() OVER (PARTITION BY s.c, s.u ORDER BY b.ord) AS place
      FROM ROWS FROM (json_to_recordset(messages) AS (p int, k text)) WITH ORDINALITY AS b (p, k, ord)
      JOIN slowed s ON s.place = b.p
      LEFT JOIN LATERAL (SELECT o.id FROM "Message" o
        WHERE o."channelId" = s.c AND o."userId" = s.u AND o."clientId" = b.k LIMIT 1) old ON b.k IS NOT NULL
      WHERE old.id IS NULL
    )
    SELECT array_agg(ceil(extract(epoch FROM CASE
      WHEN f.sent_at + f.pause > at THEN least(f.sent_at + f.pause - at, f.pause)
      WHEN f.place > 1 THEN f.pause
    END) * 1000)::bigint ORDER BY b.ord)
    FROM json_array_elements(messages) WITH ORDINALITY AS b (message, ord) LEFT JOIN fresh f ON f.ord = b.ord);
END $$;

-- [P50] Changes the settings of a channel that `changes` has: {topic?, slow_mode?, channel_type?}. Moderators of the channel may change topic
-- and slow mode, only its creator and admins may change the type. Either all changes are made, or the function returns a code and makes none.
-- `changed` says whether any setting has another value now. `removed` has the users whose membership a new type ended; null: no type given.
CREATE OR REPLACE FUNCTION parley_update_channel(user_id uuid, channel_name text, changes json, login uuid)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, changed boolean, removed uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
  new_type "ChannelType" := changes ->> 'channel_type';
  new_topic text;
  new_slow int;
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN (changes ->> 'topic' IS NOT NULL OR changes ->> 'slow_mode' IS NOT NULL) AND NOT parley_can_moderate(us, ch) THEN 'not_authorized'
  END;
  IF code IS NULL AND new_type IS NOT NULL THEN
    SELECT r.code, r.removed INTO code, removed FROM parley_set_channel_type(user_id, channel_name, new_type, login) r;
  END IF;
  IF code IS NULL THEN
    new_topic := coalesce(changes ->> 'topic', ch.topic);
    new_slow := coalesce((changes ->> 'slow_mode')::int, ch."slowMode");
    changed := (new_topic, new_slow, coalesce(new_type, ch."channelType")) IS DISTINCT FROM (ch.topic, ch."slowMode", ch."channelType");
    UPDATE "Channel" c SET topic = new_topic, "slowMode" = new_slow, "settingsVersion" = c."settingsVersion" + changed::int
      WHERE c.id = ch.id RETURNING c.id, c."aclVersion" INTO channel_id, acl_version;
  END IF;
  RETURN NEXT;
END $$;
