-- Returns a new UUIDv7. PostgreSQL has a function for it only since version 18.
CREATE OR REPLACE FUNCTION parley_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  -- The time replaces the first 48 of the random bits, and two further bits make version 4 a version 7.
  SELECT encode(set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
$$;

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

-- Adds a line to the moderation log. If `log_id` is null, the line gets a new id.
CREATE OR REPLACE FUNCTION parley_log(actor uuid, act text, target uuid, ch "Channel", why text, until timestamptz, log_id uuid)
RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO "ModerationLog" (id, "actorId", action, "targetId", "channelId", "channelName", reason, "expiresAt", "createdAt")
  VALUES (coalesce(log_id, parley_new_id()), actor, act, target, ch.id, ch.name, why, until, clock_timestamp())
$$;

-- Makes an account an admin on behalf of the operator, who knows its password. Returns false if its hash is no longer `password_hash`.
CREATE OR REPLACE FUNCTION parley_promote(target_id uuid, password_hash text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
BEGIN
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u."passwordHash" = password_hash FOR NO KEY UPDATE;
  IF target.id IS NULL THEN RETURN false; END IF;
  IF target.role <> 'admin' THEN
    UPDATE "User" u SET role = 'admin' WHERE u.id = target.id;
    PERFORM parley_log(NULL, 'set_role_admin', target.id, nowhere, NULL, NULL, NULL);
  END IF;
  RETURN true;
END $$;

-- Changes a channel's type and ends the memberships that the new type does not allow. Only the creator and admins may do so. `removed` has
-- the users whose membership ended.
DROP FUNCTION IF EXISTS parley_set_channel_type(uuid, text, "ChannelType");
CREATE OR REPLACE FUNCTION parley_set_channel_type(user_id uuid, channel_name text, new_type "ChannelType", login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, removed uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN NOT parley_owns(us, ch) THEN 'not_authorized'
    ELSE parley_judge_type(us, channel_name, new_type)
  END;
  IF code IS NULL THEN
    WITH gone AS (
      DELETE FROM "ChannelUser" m USING "User" u WHERE m."channelId" = ch.id AND u.id = m."userId"
        AND NOT (parley_role_fits(u.role, new_type) AND (new_type = 'public' OR u.email IS NOT NULL)) RETURNING m."userId"
    ) SELECT coalesce(array_agg("userId"), '{}') INTO removed FROM gone;
    UPDATE "Channel" c SET "channelType" = new_type, "userCount" = c."userCount" - cardinality(removed), "aclVersion" = c."aclVersion" + 1
      WHERE c.id = ch.id RETURNING c.id, c."aclVersion" INTO channel_id, acl_version;
    IF ch."channelType" <> new_type THEN PERFORM parley_log(us.id, 'set_type_' || new_type, NULL, ch, NULL, NULL, NULL); END IF;
  END IF;
  RETURN NEXT;
END $$;
