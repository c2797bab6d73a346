-- AlterTable
ALTER TABLE "Channel" ADD COLUMN     "retention" INTEGER;

-- CreateIndex
CREATE INDEX "Channel_retention_idx" ON "Channel"("id") WHERE (retention IS NOT NULL);

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
  IF max_channels > 0 AND (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = us.id) >= max_channels THEN RETURN 'too_many_channels'; END IF;
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

-- [P50] Changes the settings of a channel that `changes` has: {topic?, slow_mode?, retention?, channel_type?}. Moderators of the channel may change
-- topic and slow mode, only its creator and admins the rest. Either all changes are made, or the function returns a code and makes none.
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
  END IF;
  RETURN NEXT;
END $$;
