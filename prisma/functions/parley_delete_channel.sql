-- [P24] Deletes a channel. Its messages stay until parley_purge_messages deletes them.
DROP FUNCTION IF EXISTS parley_delete_channel(uuid, text);
CREATE OR REPLACE FUNCTION parley_delete_channel(user_id uuid, channel_name text, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN NOT parley_owns(us, ch) THEN 'not_authorized'
  END;
  channel_id := ch.id;
  IF code IS NULL THEN
    DELETE FROM "Channel" c WHERE c.id = ch.id;
    INSERT INTO "DeletedChannel" (id) VALUES (ch.id);
    PERFORM parley_log(us.id, 'delete_channel', NULL, ch, NULL, NULL, NULL);
  END IF;
  RETURN NEXT;
END $$;
