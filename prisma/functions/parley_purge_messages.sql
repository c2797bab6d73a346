-- Removes up to `most` entries, messages and changes, of channels that are gone. Returns how many; 0 says there are none left.
CREATE OR REPLACE FUNCTION parley_purge_messages(most int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  channel uuid := '00000000-0000-0000-0000-000000000000';
  messages int;
  changes int;
BEGIN
  -- From one channel id to the next along the primary keys, not row by row. (LEAST passes over nulls.)
  LOOP
    channel := least(
      (SELECT m."channelId" FROM "Message" m WHERE m."channelId" > channel ORDER BY m."channelId" LIMIT 1),
      (SELECT x."channelId" FROM "MessageChange" x WHERE x."channelId" > channel ORDER BY x."channelId" LIMIT 1));
    IF channel IS NULL THEN RETURN 0; END IF;
    EXIT WHEN NOT EXISTS (SELECT FROM "Channel" c WHERE c.id = channel);
  END LOOP;
  DELETE FROM "Message" m WHERE m."channelId" = channel AND m.seq IN (
    SELECT o.seq FROM "Message" o WHERE o."channelId" = channel ORDER BY o.seq LIMIT most);
  GET DIAGNOSTICS messages = ROW_COUNT;
  DELETE FROM "MessageChange" x WHERE x."channelId" = channel AND x.seq IN (
    SELECT o.seq FROM "MessageChange" o WHERE o."channelId" = channel ORDER BY o.seq LIMIT most - messages);
  GET DIAGNOSTICS changes = ROW_COUNT;
  RETURN messages + changes;
END $$;
