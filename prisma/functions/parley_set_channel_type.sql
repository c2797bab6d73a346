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
