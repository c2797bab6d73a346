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
