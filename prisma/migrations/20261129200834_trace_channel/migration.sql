-- [P80] Checks and logs that an admin begins to trace a channel. A trace shows times and no text; but when two people write to each other is
-- theirs alone [P47]. Returns the channel's id, or an error code.
CREATE OR REPLACE FUNCTION parley_trace_channel(actor_id uuid, login uuid, channel text, log_id uuid)
RETURNS TABLE (code text, channel_id uuid) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  ch "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR NO KEY UPDATE;
  code := parley_judge_admin(actor_id, login);
  IF code IS NULL THEN
    SELECT * INTO ch FROM "Channel" c WHERE c.name = channel;
    IF ch.id IS NULL OR parley_is_direct(ch) THEN code := 'channel_not_found'; END IF;
  END IF;
  IF code IS NULL THEN
    channel_id := ch.id;
    PERFORM parley_log(actor_id, 'trace_channel', NULL, ch, NULL, NULL, log_id);
  END IF;
  RETURN NEXT;
END $$;
