-- [P48] Makes the acting user block `target_id`, or ends that (`wanted` is false). `max_blocks` limits the blocks of one user; 0 means no limit.
-- Returns an error code, or null. `channel_id` is their direct channel if there is one and the block of its other user has changed; its
-- aclVersion rises then, so that instances that the bus does not reach find the change.
CREATE OR REPLACE FUNCTION parley_block_user(user_id uuid, login uuid, target_id uuid, wanted boolean, max_blocks int)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  -- A direct channel that is being opened and an invitation that is being written are committed before the block, or see it.
  PERFORM FROM "User" u WHERE u.id IN (user_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN us.email IS NULL OR us.id = target_id THEN 'not_authorized'
    WHEN NOT EXISTS (SELECT FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL) THEN 'user_not_found'
    WHEN wanted AND max_blocks > 0 AND NOT parley_blocks(us.id, target_id)
      AND (SELECT count(*) FROM "UserBlock" b WHERE b."userId" = us.id) >= max_blocks THEN 'too_many_blocks'
  END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  IF wanted THEN
    INSERT INTO "UserBlock" ("userId", "blockedId", "createdAt") VALUES (us.id, target_id, clock_timestamp()) ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM "UserBlock" b WHERE b."userId" = us.id AND b."blockedId" = target_id;
  END IF;
  IF FOUND THEN
    -- This waits for messages that were judged before the block.
    UPDATE "Channel" c SET "aclVersion" = c."aclVersion" + 1
      WHERE c.name = parley_direct_name(us.id, target_id) AND c."channelType" = 'direct' RETURNING c.id, c."aclVersion" INTO channel_id, acl_version;
  END IF;
  RETURN NEXT;
END $$;
