-- [P40] Stores a batch of reactions that users add or take back, each as an entry of its channel's sequence.
-- batch: [{n: channel name, u: user id, s: login, i: message id, r: reaction, a: true to add it, false to take it back}, …].
-- max_reactions: how many different reactions a message may have.
-- Returns one row per item: its position `ord` in the batch, and an error code or the entry's channel, seq and time and the user's name and
-- handle. `seq` is null where the item changed nothing: the user had added or taken back this reaction before.
CREATE OR REPLACE FUNCTION parley_react(batch json, max_reactions int)
RETURNS TABLE (ord bigint, code text, channel_id uuid, seq bigint, created_at timestamptz, username text, handle text, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  item record;
  channel uuid;
  last bigint;
  own bigint;
  at timestamptz;
BEGIN
  PERFORM FROM "Channel" c WHERE c.name = ANY (ARRAY(SELECT b ->> 'n' FROM json_array_elements(batch) b)) ORDER BY c.id FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  -- In the order of channels, so that each channel's row is written once, however many reactions there are. `LATERAL … LIMIT 1` makes the
  -- planner use one index probe per row, whatever sizes it assumes for the tables.
  FOR item IN
    SELECT b.ord, b.i, b.r, b.a, (c.ch).id AS c, (c.ch)."lastSeq" AS last_seq, (u.us).id AS u, (u.us).name, (u.us).handle, mute.until AS muted_until, CASE
      WHEN (u.us).id IS NULL THEN 'authentication_failed'
      WHEN (c.ch).id IS NULL OR (member.found IS NULL AND NOT parley_sees(u.us, c.ch)) THEN 'channel_not_found'
      WHEN (u.us).email IS NULL OR NOT parley_role_fits((u.us).role, (c.ch)."channelType") THEN 'not_authorized'
      WHEN ban.found THEN 'banned'
      WHEN member.found IS NULL THEN 'not_in_channel'
      WHEN mute.until IS NOT NULL THEN 'muted'
      WHEN b.a AND (c.ch)."channelType" = 'direct' AND parley_is_blocked((c.ch).id, b.u) THEN 'blocked'
      WHEN msg.found IS NULL THEN 'message_not_found'
    END AS refusal
    FROM ROWS FROM (json_to_recordset(batch) AS (n text, u uuid, s uuid, i uuid, r text, a boolean)) WITH ORDINALITY AS b (n, u, s, i, r, a, ord)
    LEFT JOIN LATERAL (SELECT x AS ch FROM "Channel" x WHERE x.name = b.n LIMIT 1) c ON true
    LEFT JOIN LATERAL (
      SELECT x AS us FROM "User" x WHERE x.id = b.u AND x."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(x, b.s)) LIMIT 1) u ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelUser" x WHERE x."channelId" = (c.ch).id AND x."userId" = b.u LIMIT 1) member ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" x WHERE x."channelId" = (c.ch).id AND x."userId" = b.u
      AND (x."expiresAt" IS NULL OR x."expiresAt" > at) LIMIT 1) ban ON true
    LEFT JOIN LATERAL (SELECT x."expiresAt" AS until FROM "ChannelMute" x WHERE x."channelId" = (c.ch).id AND x."userId" = b.u
      AND x."expiresAt" > at LIMIT 1) mute ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "Message" x WHERE x.id = b.i AND x."channelId" = (c.ch).id AND x."deletedAt" IS NULL LIMIT 1) msg ON true
    ORDER BY (c.ch).id, b.ord
  LOOP
    IF item.c IS DISTINCT FROM channel THEN
      UPDATE "Channel" c SET "lastSeq" = last WHERE c.id = channel AND c."lastSeq" < last;
      channel := item.c;
      last := item.last_seq;
    END IF;
    ord := item.ord; code := item.refusal; channel_id := item.c; seq := NULL; created_at := at; username := item.name; handle := item.handle;
    retry_after_ms := NULL;
    IF code = 'muted' THEN retry_after_ms := ceil(extract(epoch FROM item.muted_until - at) * 1000)::bigint; END IF;
    IF code IS NULL THEN
      own := (SELECT x.seq FROM "Reaction" x WHERE x."messageId" = item.i AND x.reaction = item.r AND x."userId" = item.u AND x.current);
      IF item.a AND own IS NULL AND NOT EXISTS (SELECT FROM "Reaction" x WHERE x."messageId" = item.i AND x.reaction = item.r AND x.current)
        AND parley_count_reactions(item.i) >= max_reactions THEN
        code := 'too_many_reactions';
      ELSIF item.a = (own IS NULL) THEN
        last := last + 1;
        seq := last;
        IF NOT item.a THEN UPDATE "Reaction" x SET current = false WHERE x."channelId" = channel AND x.seq = own; END IF;
        INSERT INTO "Reaction" ("channelId", seq, "messageId", "userId", reaction, added, current, "createdAt")
          VALUES (channel, last, item.i, item.u, item.r, item.a, item.a, at);
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
  UPDATE "Channel" c SET "lastSeq" = last WHERE c.id = channel AND c."lastSeq" < last;
END $$;
