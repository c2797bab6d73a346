-- [P47] Opens the direct channel of the acting user and `peer_id`: makes it, with both as members, or makes a user who has left it a member
-- again. `new_id` is the id of a channel that is made; making one counts towards `created_a_minute` [P58]; 0 means no limit.
-- Returns an error code, or the channel's name. `made`: the channel is new. `effect`: the user was not a member before.
CREATE OR REPLACE FUNCTION parley_open_direct(user_id uuid, login uuid, peer_id uuid, new_id uuid, created_a_minute int)
RETURNS TABLE (code text, channel_name text, made boolean, effect boolean, retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  peer "User";
  ch "Channel";
BEGIN
  -- Both users ask at once, maybe at two instances: the second waits here, and then finds the channel that the first has made.
  PERFORM FROM "User" u WHERE u.id IN (user_id, peer_id) ORDER BY u.id FOR NO KEY UPDATE;
  channel_name := parley_direct_name(user_id, peer_id);
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  SELECT * INTO peer FROM "User" u WHERE u.id = peer_id AND u.email IS NOT NULL AND u."disabledAt" IS NULL;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN us.email IS NULL OR us.id = peer_id THEN 'not_authorized'
    WHEN peer.id IS NULL THEN 'user_not_found'
    WHEN parley_blocks(peer.id, us.id) THEN 'blocked'
    -- An instance of the previous release may have made a channel of this name while the migration ran.
    WHEN ch."channelType" <> 'direct' THEN 'channel_exists'
    WHEN ch.id IS NULL AND parley_creation_wait(us, created_a_minute) > 0 THEN 'rate_limited'
  END;
  made := ch.id IS NULL;
  IF code = 'rate_limited' THEN retry_after_ms := parley_creation_wait(us, created_a_minute); END IF;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  IF made THEN
    INSERT INTO "Channel" (id, name, "channelType", "userCount") VALUES (new_id, channel_name, 'direct', 2);
    INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (new_id, us.id), (new_id, peer.id);
    INSERT INTO "DirectPeer" ("channelId", "userId", "peerId") VALUES (new_id, us.id, peer.id), (new_id, peer.id, us.id);
    PERFORM parley_count_creation(us.id, created_a_minute);
    effect := true;
  ELSE
    INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (ch.id, us.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
    UPDATE "Channel" c SET "userCount" = c."userCount" + 1 WHERE c.id = ch.id AND effect;
  END IF;
  RETURN NEXT;
END $$;
