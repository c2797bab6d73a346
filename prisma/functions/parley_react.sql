-- [P40] Stores a batch of reactions that users add or take back, each as an entry of its channel's sequence.
-- batch: [{n: channel name, u: user id, s: login, i: message id, r: reaction, a: true to add it, false to take it back}, …].
-- max_reactions: how many different reactions a message may have.
-- Returns one row per item: its position `ord` in the batch, and an error code or the entry's channel, seq and time and the user's name and handle. `seq`
-- is null where the item changed nothing: the user had added or taken back this reaction before.
CREATE OR REPLACE FUNCTION parley_react(batch json, max_reactions int)
RETURNS TABLE (ord bigint, code text, channel_id uuid, seq bigint, created_at timestamptz, username text, handle text, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  item record;
  us "User";
  ch "Channel";
  last bigint;
  own bigint;
  muted_until timestamptz;
  at timestamptz;
BEGIN
  PERFORM FROM "Channel" c WHERE c.name = ANY (ARRAY(SELECT b ->> 'n' FROM json_array_elements(batch) b)) ORDER BY c.id FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  -- In the order of channels, so that each channel's row is written once, however many reactions there are.
  FOR item IN
    SELECT b.*, c.id AS c
    FROM ROWS FROM (json_to_recordset(batch) AS (n text, u uuid, s uuid, i uuid, r text, a boolean)) WITH ORDINALITY AS b (n, u, s, i, r, a, ord)
    LEFT JOIN LATERAL (SELECT x.id FROM "Channel" x WHERE x.name = b.n LIMIT 1) c ON true
    ORDER BY c.id, b.ord
  LOOP
    IF item.c IS DISTINCT FROM ch.id THEN
      UPDATE "Channel" c SET "lastSeq" = last WHERE c.id = ch.id AND c."lastSeq" < last;
      SELECT * INTO ch FROM "Channel" c WHERE c.id = item.c;
      last := ch."lastSeq";
    END IF;
    us := parley_actor(item.u, item.s);
    own := (SELECT x.seq FROM "Reaction" x WHERE x."messageId" = item.i AND x.reaction = item.r AND x."userId" = item.u AND x.current);
    muted_until := (SELECT x."expiresAt" FROM "ChannelMute" x WHERE x."channelId" = ch.id AND x."userId" = us.id AND x."expiresAt" > at);
    code := CASE
      WHEN us.id IS NULL THEN 'authentication_failed'
      WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
      WHEN us.email IS NULL OR NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
      WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id AND (x."expiresAt" IS NULL OR x."expiresAt" > at)) THEN 'banned'
      WHEN NOT EXISTS (SELECT FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = us.id) THEN 'not_in_channel'
      WHEN muted_until IS NOT NULL THEN 'muted'
      WHEN item.a AND ch."channelType" = 'direct' AND parley_is_blocked(ch.id, us.id) THEN 'blocked'
      -- A message takes reactions as long as it takes replies: it is one of the channel that is not deleted.
      WHEN NOT parley_takes_reply(ch.id, item.i) THEN 'message_not_found'
      WHEN item.a AND NOT EXISTS (SELECT FROM "Reaction" x WHERE x."messageId" = item.i AND x.reaction = item.r AND x.current)
        AND parley_count_reactions(item.i) >= max_reactions THEN 'too_many_reactions'
    END;
    ord := item.ord; channel_id := ch.id; seq := NULL; created_at := at; username := us.name; handle := us.handle; retry_after_ms := NULL;
    IF code = 'muted' THEN retry_after_ms := ceil(extract(epoch FROM muted_until - at) * 1000)::bigint; END IF;
    IF code IS NULL AND item.a = (own IS NULL) THEN
      last := last + 1;
      seq := last;
      IF NOT item.a THEN UPDATE "Reaction" x SET current = false WHERE x."channelId" = ch.id AND x.seq = own; END IF;
      INSERT INTO "Reaction" ("channelId", seq, "messageId", "userId", reaction, added, current, "createdAt")
        VALUES (ch.id, last, item.i, us.id, item.r, item.a, item.a, at);
    END IF;
    RETURN NEXT;
  END LOOP;
  UPDATE "Channel" c SET "lastSeq" = last WHERE c.id = ch.id AND c."lastSeq" < last;
END $$;
