-- Deletes up to `most` entries (messages, changes and reactions) of one deleted channel, and with the last of them its row in DeletedChannel.
-- Returns the number of deleted rows; 0 means that nothing is left to purge. Instances that purge at the same time take different channels.
-- The settings make PostgreSQL read in the order of the indexes: without them, a planner without statistics sorts a whole channel first.
CREATE OR REPLACE FUNCTION parley_purge_messages(most int) RETURNS int LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  channel uuid;
  messages int;
  changes int;
  reactions int;
BEGIN
  SELECT d.id INTO channel FROM "DeletedChannel" d ORDER BY d.id LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF channel IS NULL THEN RETURN 0; END IF;
  -- The condition is a range of the primary key, so each call reads only the rows that it deletes, however many entries the channel has.
  DELETE FROM "Message" m WHERE m."channelId" = channel AND m.seq <= (
    SELECT max(o.seq) FROM (SELECT x.seq FROM "Message" x WHERE x."channelId" = channel ORDER BY x.seq LIMIT most) o);
  GET DIAGNOSTICS messages = ROW_COUNT;
  DELETE FROM "MessageChange" m WHERE m."channelId" = channel AND m.seq <= (
    SELECT max(o.seq) FROM (SELECT x.seq FROM "MessageChange" x WHERE x."channelId" = channel ORDER BY x.seq LIMIT most - messages) o);
  GET DIAGNOSTICS changes = ROW_COUNT;
  DELETE FROM "Reaction" m WHERE m."channelId" = channel AND m.seq <= (
    SELECT max(o.seq) FROM (SELECT x.seq FROM "Reaction" x WHERE x."channelId" = channel ORDER BY x.seq LIMIT most - messages - changes) o);
  GET DIAGNOSTICS reactions = ROW_COUNT;
  IF messages + changes + reactions = most THEN RETURN most; END IF;
  DELETE FROM "DeletedChannel" d WHERE d.id = channel;
  RETURN messages + changes + reactions + 1;
END $$;
