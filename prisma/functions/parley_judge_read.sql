-- [P43] Judges whether a user may mark a channel as read. Returns the channel's id and the `seq` of its latest entry, or a code that refuses.
CREATE OR REPLACE FUNCTION parley_judge_read(user_id uuid, channel_name text, login uuid)
RETURNS TABLE (code text, channel_id uuid, last_seq bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
  us "User" := parley_actor(user_id, login);
  ch "Channel";
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
      AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
    WHEN NOT EXISTS (SELECT FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = us.id) THEN 'not_in_channel'
    WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
  END;
  channel_id := ch.id;
  last_seq := ch."lastSeq";
  RETURN NEXT;
END $$;
