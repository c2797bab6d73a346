-- [P21] Counts the channels that a user is a member of. Direct channels do not count [P47].
CREATE OR REPLACE FUNCTION parley_count_channels(member uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = member) - (SELECT count(*) FROM "DirectPeer" p
    JOIN "ChannelUser" m ON m."channelId" = p."channelId" AND m."userId" = p."userId" WHERE p."userId" = member)
$$;
