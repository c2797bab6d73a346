-- [P50] Changes the settings of a channel that `changes` has: {topic?, slow_mode?, retention?, channel_type?}. Moderators of the channel may change
-- topic and slow mode, only its creator and admins the rest. Either all changes are made, or the function returns a code and makes none.
-- Each setting that has another value now gets a line in the log [P63].
-- `changed` says whether any setting has another value now. `removed` has the users whose membership a new type ended; null: no type given.
CREATE OR REPLACE FUNCTION parley_update_channel(user_id uuid, channel_name text, changes json, login uuid)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, changed boolean, removed uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
  new_type "ChannelType" := changes ->> 'channel_type';
  new_topic text;
  new_slow int;
  new_retention int;
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN (changes ->> 'topic' IS NOT NULL OR changes ->> 'slow_mode' IS NOT NULL) AND NOT parley_can_moderate(us, ch) THEN 'not_authorized'
    WHEN changes -> 'retention' IS NOT NULL AND NOT parley_owns(us, ch) THEN 'not_authorized'
  END;
  IF code IS NULL AND new_type IS NOT NULL THEN
    SELECT r.code, r.removed INTO code, removed FROM parley_set_channel_type(user_id, channel_name, new_type, login) r;
  END IF;
  IF code IS NULL THEN
    new_topic := coalesce(changes ->> 'topic', ch.topic);
    new_slow := coalesce((changes ->> 'slow_mode')::int, ch."slowMode");
    new_retention := CASE WHEN changes -> 'retention' IS NULL THEN ch.retention ELSE (changes ->> 'retention')::int END;
    changed := (new_topic, new_slow, new_retention, coalesce(new_type, ch."channelType"))
      IS DISTINCT FROM (ch.topic, ch."slowMode", ch.retention, ch."channelType");
    UPDATE "Channel" c SET topic = new_topic, "slowMode" = new_slow, retention = new_retention, "settingsVersion" = c."settingsVersion" + changed::int
      WHERE c.id = ch.id RETURNING c.id, c."aclVersion" INTO channel_id, acl_version;
    -- parley_set_channel_type logs the change of type.
    IF new_topic <> ch.topic THEN PERFORM parley_log(us.id, 'set_topic', NULL, ch, NULL, NULL, NULL); END IF;
    IF new_slow <> ch."slowMode" THEN PERFORM parley_log(us.id, 'set_slow_mode', NULL, ch, NULL, NULL, NULL); END IF;
    IF new_retention IS DISTINCT FROM ch.retention THEN PERFORM parley_log(us.id, 'set_retention', NULL, ch, NULL, NULL, NULL); END IF;
  END IF;
  RETURN NEXT;
END $$;
