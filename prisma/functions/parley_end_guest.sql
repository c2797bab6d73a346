-- [P16] Ends a guest with his connection: his memberships, and himself.
CREATE OR REPLACE FUNCTION parley_end_guest(guest uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = guest FOR NO KEY UPDATE;
  PERFORM FROM "Channel" c WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = guest) ORDER BY c.id FOR NO KEY UPDATE;
  WITH gone AS (DELETE FROM "ChannelUser" m WHERE m."userId" = guest RETURNING m."channelId")
    UPDATE "Channel" c SET "userCount" = c."userCount" - 1 FROM gone WHERE c.id = gone."channelId";
  UPDATE "User" u SET "disabledAt" = clock_timestamp() WHERE u.id = guest;
END $$;
