-- [P16] Ends guests whose connections are gone: deletes their memberships and disables them. Ids of other users have no effect.
CREATE OR REPLACE FUNCTION parley_end_guests(guests uuid[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = ANY (guests) ORDER BY u.id FOR NO KEY UPDATE;
  PERFORM FROM "Channel" c
    WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = ANY (guests)) ORDER BY c.id FOR NO KEY UPDATE;
  WITH gone AS (
    DELETE FROM "ChannelUser" m USING "User" u
      WHERE m."userId" = ANY (guests) AND u.id = m."userId" AND u.email IS NULL RETURNING m."channelId"
  ), counted AS (
    SELECT gone."channelId", count(*)::int AS members FROM gone GROUP BY gone."channelId"
  ) UPDATE "Channel" c SET "userCount" = c."userCount" - counted.members FROM counted WHERE c.id = counted."channelId";
  UPDATE "User" u SET "disabledAt" = clock_timestamp() WHERE u.id = ANY (guests) AND u.email IS NULL AND u."disabledAt" IS NULL;
END $$;
