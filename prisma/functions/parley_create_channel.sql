-- Creates a channel, with its creator as a member and the first moderator. Returns null or an error code. A cap of 0 means no cap.
-- settings: {topic?, slow_mode?, retention?} [P50].
DROP FUNCTION IF EXISTS parley_create_channel(uuid, uuid, text, "ChannelType", int, int, int, uuid);
CREATE OR REPLACE FUNCTION parley_create_channel(user_id uuid, id uuid, channel_name text, new_type "ChannelType", max_channels int,
  max_created int DEFAULT 0, created_a_minute int DEFAULT 0, login uuid DEFAULT NULL, settings json DEFAULT '{}')
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  refusal text;
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  refusal := parley_judge_type(us, channel_name, new_type);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  IF EXISTS (SELECT FROM "Channel" c WHERE c.name = channel_name) THEN RETURN 'channel_exists'; END IF;
  IF max_channels > 0 AND parley_count_channels(us.id) >= max_channels THEN RETURN 'too_many_channels'; END IF;
  refusal := parley_judge_creation(us, max_created, created_a_minute);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  INSERT INTO "Channel" (id, name, "channelType", "createdBy", "userCount", topic, "slowMode", retention)
    VALUES (id, channel_name, new_type, us.id, 1, coalesce(settings ->> 'topic', ''), coalesce((settings ->> 'slow_mode')::int, 0),
      (settings ->> 'retention')::int)
    ON CONFLICT (name) DO NOTHING;
  IF NOT FOUND THEN RETURN 'channel_exists'; END IF;
  INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (id, us.id);
  INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (id, us.id);
  PERFORM parley_count_creation(us.id, created_a_minute);
  RETURN NULL;
END $$;
