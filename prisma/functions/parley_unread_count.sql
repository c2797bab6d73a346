-- [P44] Counts the messages of others after a `seq` that are not deleted, 100 at most. The settings make the planner walk along the primary key until
-- it has counted enough: by the statistics alone it may expect few such messages, and read all of the channel to sort them.
CREATE OR REPLACE FUNCTION parley_unread_count(channel uuid, reader uuid, read_seq bigint) RETURNS int LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
  RETURN (SELECT count(*) FROM (SELECT FROM "Message" m
    WHERE m."channelId" = channel AND m.seq > read_seq AND m."userId" <> reader AND m."deletedAt" IS NULL ORDER BY m.seq LIMIT 100) n);
END $$;
