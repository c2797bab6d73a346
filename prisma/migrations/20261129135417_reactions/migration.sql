-- CreateTable
CREATE TABLE "Reaction" (
    "channelId" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "messageId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "reaction" TEXT NOT NULL,
    "added" BOOLEAN NOT NULL,
    "current" BOOLEAN NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Reaction_pkey" PRIMARY KEY ("channelId","seq")
);

-- CreateIndex
CREATE UNIQUE INDEX "Reaction_current_key" ON "Reaction"("messageId", "reaction", "userId") WHERE (current);

-- Stores messages, edits and deletions, and reactions in one call, in this order. The arguments are those of parley_publish, parley_change and
-- parley_react, which judge and store the items. (A batch of messages only goes to parley_publish directly.)
-- Returns one row per item: its `kind` and its position `ord` among the items of this kind, an error code, and what the functions return.
-- All locks are taken here, users before channels and channels by id, because the three functions would take theirs one after the other.
CREATE OR REPLACE FUNCTION parley_commit(senders json, messages json, changes json, reactions json, max_reactions int)
RETURNS TABLE (kind text, ord bigint, code text, channel_id uuid, id uuid, seq bigint, created_at timestamptz, duplicate boolean, told uuid,
  author_id uuid, data text, username text, handle text, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  ids uuid[] := ARRAY(SELECT (b ->> 'c')::uuid FROM json_array_elements(senders) b);
  names text[] := ARRAY(SELECT b ->> 'n' FROM json_array_elements(changes) b UNION ALL SELECT b ->> 'n' FROM json_array_elements(reactions) b);
BEGIN
  PERFORM FROM "User" u WHERE u.id = ANY (ARRAY(SELECT (b ->> 'u')::uuid FROM json_array_elements(changes) b)) ORDER BY u.id FOR SHARE;
  PERFORM FROM "Channel" c WHERE c.id = ANY (ids) OR c.name = ANY (names) ORDER BY c.id FOR NO KEY UPDATE;
  IF json_array_length(messages) > 0 THEN
    RETURN QUERY SELECT 'message', p.ordinality, p.code, NULL::uuid, p.id, p.seq, p.created_at, p.duplicate, p.told,
      NULL::uuid, NULL::text, NULL::text, NULL::text, p.retry_after_ms
      FROM ROWS FROM (parley_publish(senders, messages)) WITH ORDINALITY p;
  END IF;
  IF json_array_length(changes) > 0 THEN
    RETURN QUERY SELECT 'change', p.ordinality, p.code, p.channel_id, NULL::uuid, p.seq, p.created_at, NULL::boolean, NULL::uuid,
      p.author_id, p.data, NULL::text, NULL::text, p.retry_after_ms
      FROM ROWS FROM (parley_change(changes)) WITH ORDINALITY p;
  END IF;
  IF json_array_length(reactions) > 0 THEN
    RETURN QUERY SELECT 'reaction', p.ord, p.code, p.channel_id, NULL::uuid, p.seq, p.created_at, NULL::boolean, NULL::uuid,
      NULL::uuid, NULL::text, p.username, p.handle, p.retry_after_ms
      FROM parley_react(reactions, max_reactions) p;
  END IF;
END $$;

-- [P40] Returns the number of different reactions that a message has. It takes one index probe for each of them, however many users reacted.
CREATE OR REPLACE FUNCTION parley_count_reactions(message uuid) RETURNS bigint LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN (
    WITH RECURSIVE found AS (
      (SELECT x.reaction FROM "Reaction" x WHERE x."messageId" = message AND x.current ORDER BY x.reaction LIMIT 1)
      UNION ALL
      SELECT (SELECT x.reaction FROM "Reaction" x
        WHERE x."messageId" = message AND x.current AND x.reaction > f.reaction ORDER BY x.reaction LIMIT 1)
      FROM found f WHERE f.reaction IS NOT NULL
    )
    SELECT count(f.reaction) FROM found f);
END $$;

-- [P37] Returns the id of a channel's entry with this `seq`: a message's id, also for an edit or a deletion of the message or a
-- reaction to it. Null where the channel has no such entry.
CREATE OR REPLACE FUNCTION parley_entry_id(channel uuid, at bigint) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT m.id FROM "Message" m WHERE m."channelId" = channel AND m.seq = at),
    (SELECT x."messageId" FROM "MessageChange" x WHERE x."channelId" = channel AND x.seq = at),
    (SELECT r."messageId" FROM "Reaction" r WHERE r."channelId" = channel AND r.seq = at))
$$;

-- Deletes up to `most` entries (messages, changes and reactions) of one deleted channel, and with the last of them its row in DeletedChannel.
-- Returns the number of deleted rows; 0 means that nothing is left to purge. Instances that purge at the same time take different channels.
-- The settings make PostgreSQL read in the order of the indexes: without them, a planner without statistics sorts a whole channel first.
CREATE OR REPLACE FUNCTION parley_purge_messages(most int) RETURNS int LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  channel uuid;
  messages int;
  changes int;
  reactions int;
BEGIN
  SELECT d.id INTO channel FROM "DeletedChannel" d ORDER BY d.id LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF channel IS NULL THEN RETURN 0; END IF;
  -- The condition is a range of the primary key, so each call reads only the rows that it deletes, however many entries the channel has.
  DELETE FROM "Message" m WHERE m."channelId" = channel AND m.seq <= (
    SELECT max(o.seq) FROM (SELECT x.seq FROM "Message" x WHERE x."channelId" = channel ORDER BY x.seq LIMIT most) o);
  GET DIAGNOSTICS messages = ROW_COUNT;
  DELETE FROM "MessageChange" m WHERE m."channelId" = channel AND m.seq <= (
    SELECT max(o.seq) FROM (SELECT x.seq FROM "MessageChange" x WHERE x."channelId" = channel ORDER BY x.seq LIMIT most - messages) o);
  GET DIAGNOSTICS changes = ROW_COUNT;
  DELETE FROM "Reaction" m WHERE m."channelId" = channel AND m.seq <= (
    SELECT max(o.seq) FROM (SELECT x.seq FROM "Reaction" x WHERE x."channelId" = channel ORDER BY x.seq LIMIT most - messages - changes) o);
  GET DIAGNOSTICS reactions = ROW_COUNT;
  IF messages + changes + reactions = most THEN RETURN most; END IF;
  DELETE FROM "DeletedChannel" d WHERE d.id = channel;
  RETURN messages + changes + reactions + 1;
END $$;

-- [P40] Stores a batch of reactions that users add or take back, each as an entry of its channel's sequence.
-- batch: [{n: channel name, u: user id, s: login, i: message id, r: reaction, a: true to add it, false to take it back}, …].
-- max_reactions: how many different reactions a message may have.
-- Returns one row per item: its position `ord` in the batch, and an error code or the entry's channel, seq and time and the user's name. `seq`
-- is null where the item changed nothing: the user had added or taken back this reaction before.
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
