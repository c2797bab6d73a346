-- [P26]–[P28] Stores a batch of messages. Each message gets the next number of its channel or is refused.
-- senders: [{c: channel id, u: user id, s: login?}, …], no two alike: each sender is checked once for all their messages in the channel.
-- messages: [{p: position of the sender, from 1, i: message id, m: text, k: client id?, r: id of the message that it replies to?,
-- d: data as JSON text?}, …], no combination of c, u and k twice. Instances of the previous release send no r and d.
-- Returns one row per message, in the order of the batch: an error code, or null with id, seq and created_at. `duplicate` says that the
-- client id was stored before; the row then describes the stored message. `told` is the user who has to be told of a direct channel, because
-- this message is its first or has brought them back [P47].
-- (parley_publish(json) stays for instances of the previous release.)
-- A session plans each statement once (`force_generic_plan`) instead of six times, because one plan of index probes fits all batches.
DROP FUNCTION IF EXISTS parley_publish(json, json);
CREATE OR REPLACE FUNCTION parley_publish(senders json, messages json)
RETURNS TABLE (code text, id uuid, seq bigint, created_at timestamptz, duplicate boolean, retry_after_ms bigint, told uuid)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
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
      WHEN b.r IS NOT NULL AND NOT EXISTS (SELECT FROM parley_takes_reply(s.c, b.r)) THEN 'message_not_found'
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
