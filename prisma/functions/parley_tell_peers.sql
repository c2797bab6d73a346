-- [P47] Completes a batch of parley_publish that has messages to direct channels. A receiver who has left the channel becomes a member again.
-- Records who has to be told of the channel, so that every instance finds it within seconds, also without the bus.
CREATE OR REPLACE FUNCTION parley_tell_peers(messages json, at timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  WITH written AS (
    SELECT p."channelId", p."peerId", min(m.seq) AS first
    FROM json_array_elements(messages) b JOIN "Message" m ON m.id = (b ->> 'i')::uuid
    JOIN "DirectPeer" p ON p."channelId" = m."channelId" AND p."userId" = m."userId" GROUP BY p."channelId", p."peerId"
  ), back AS (
    INSERT INTO "ChannelUser" ("channelId", "userId") SELECT w."channelId", w."peerId" FROM written w
    ON CONFLICT DO NOTHING RETURNING "channelId", "userId"
  ), counted AS (
    UPDATE "Channel" c SET "userCount" = c."userCount" + 1 FROM back WHERE c.id = back."channelId"
  )
  UPDATE "DirectPeer" p SET "toldAt" = at FROM written w LEFT JOIN back ON back."channelId" = w."channelId" AND back."userId" = w."peerId"
    WHERE p."channelId" = w."channelId" AND p."userId" = w."peerId" AND (w.first = 1 OR back."userId" IS NOT NULL);
END $$;
