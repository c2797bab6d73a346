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
