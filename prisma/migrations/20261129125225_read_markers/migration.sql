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
