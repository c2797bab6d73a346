-- [P47] [P48] Judges those senders of a batch of parley_publish that write to a direct channel. Returns two lists by the position of the
-- sender: the codes that refuse their messages, and the users who have to be told of the channel when a message is stored, because it is the
-- channel's first or brings its receiver back. The caller has locked the channels.
CREATE OR REPLACE FUNCTION parley_judge_directs(senders json, OUT refusals text[], OUT told uuid[])
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  SELECT
    array_agg(CASE WHEN ch.id IS NULL THEN NULL WHEN peer.email IS NULL THEN 'user_not_found' WHEN block.found THEN 'blocked' END ORDER BY d.place),
    array_agg(CASE WHEN ch.last_seq = 0 OR cu.found IS NULL THEN peer.id END ORDER BY d.place)
  INTO refusals, told
  FROM ROWS FROM (json_to_recordset(senders) AS (c uuid, u uuid)) WITH ORDINALITY AS d (c, u, place)
  LEFT JOIN LATERAL (SELECT x.id, x."lastSeq" AS last_seq FROM "Channel" x WHERE x.id = d.c AND x."channelType" = 'direct' LIMIT 1) ch ON true
  LEFT JOIN LATERAL (SELECT x."peerId" AS id FROM "DirectPeer" x WHERE x."channelId" = ch.id AND x."userId" = d.u LIMIT 1) p ON true
  LEFT JOIN LATERAL (SELECT x.id, x.email FROM "User" x WHERE x.id = p.id LIMIT 1) peer ON true
  LEFT JOIN LATERAL (SELECT true AS found FROM "UserBlock" x WHERE x."userId" = p.id AND x."blockedId" = d.u LIMIT 1) block ON true
  LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = p.id LIMIT 1) cu ON true;
END $$;
