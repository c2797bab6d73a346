-- [P42] Judges whether a user without a connection may send a signal to a channel, as parley_publish judges a message. Returns the channel, or a
-- code that refuses.
CREATE OR REPLACE FUNCTION parley_judge_signal(user_id uuid, channel_name text, login uuid)
RETURNS TABLE (code text, channel_id uuid, retry_after_ms bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
  us "User" := parley_actor(user_id, login);
  ch "Channel";
  muted_until timestamptz;
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  muted_until := (SELECT x."expiresAt" FROM "ChannelMute" x
    WHERE x."channelId" = ch.id AND x."userId" = us.id AND x."expiresAt" > clock_timestamp());
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
      AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
    WHEN NOT EXISTS (SELECT FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = us.id) THEN 'not_in_channel'
    WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
    WHEN muted_until IS NOT NULL THEN 'muted'
    WHEN ch."channelType" = 'direct' THEN (parley_judge_directs(json_build_array(json_build_object('c', ch.id, 'u', us.id)))).refusals[1]
  END;
  channel_id := ch.id;
  IF code = 'muted' THEN retry_after_ms := greatest(1, ceil(extract(epoch FROM muted_until - clock_timestamp()) * 1000)); END IF;
  RETURN NEXT;
END $$;
