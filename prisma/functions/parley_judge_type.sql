-- [P18] Returns null if this user may give a channel of this name this type, else an error code. Names `direct-…` belong to direct
-- channels, which are made by parley_open_direct only [P47].
CREATE OR REPLACE FUNCTION parley_judge_type(us "User", channel_name text, new_type "ChannelType") RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN us.id IS NULL OR us."disabledAt" IS NOT NULL THEN 'authentication_failed'
    WHEN channel_name LIKE 'direct-%' THEN 'invalid_channel_name'
    WHEN us.email IS NULL OR coalesce(parley_type_of_name(channel_name), new_type) <> new_type
      OR (new_type IN ('admin', 'moderator') AND us.role <> 'admin') THEN 'not_authorized'
  END
$$;
