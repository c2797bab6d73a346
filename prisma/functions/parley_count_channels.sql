-- [P21] Counts the channels that a user is a member of. Direct channels do not count [P47].
-- It is PL/pgSQL, which keeps its plan: PostgreSQL would plan a function in SQL anew for each join of a batch.
CREATE OR REPLACE FUNCTION parley_count_channels(member uuid) RETURNS bigint LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = member) - (SELECT count(*) FROM "DirectPeer" p
    JOIN "ChannelUser" m ON m."channelId" = p."channelId" AND m."userId" = p."userId" WHERE p."userId" = member);
END $$;
