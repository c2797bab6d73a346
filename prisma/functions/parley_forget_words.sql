-- [P70] Removes from the search index what has been removed from Message, and with the last messages of a deleted channel its position.
-- The lock waits for a batch of parley_index_messages that may be adding the same messages, and keeps the next one away.
CREATE OR REPLACE FUNCTION parley_forget_words() RETURNS trigger LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7275396, hashtext(current_schema()));
  DELETE FROM "SearchEntry" e USING gone g WHERE e."channelId" = g."channelId" AND e.seq = g.seq;
  DELETE FROM "SearchPosition" p USING (SELECT DISTINCT g."channelId" AS id FROM gone g) g
    WHERE p."channelId" = g.id AND NOT EXISTS (SELECT FROM "Channel" c WHERE c.id = g.id);
  RETURN NULL;
END $$;
