-- Erases an account: it is then disabled, without email, name and password hash, in no channel, and all its logins are ended. Its messages
-- stay, but not the copies of them in reports. A direct channel stays for its other user [P47], unless that user is erased too.
-- `actor_id` is null if users erase their own account; `login` is the login of the acting user.
DROP FUNCTION IF EXISTS parley_erase_user(uuid, uuid, uuid);
CREATE OR REPLACE FUNCTION parley_erase_user(actor_id uuid, target_id uuid, log_id uuid, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  target "User";
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  us := parley_actor(coalesce(actor_id, target_id), login);
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN actor_id IS NOT NULL AND us.role <> 'admin' THEN 'not_authorized'
    WHEN target.id IS NULL THEN 'user_not_found'
    WHEN actor_id = target_id THEN 'not_authorized'
    WHEN parley_is_last_admin(target) THEN 'last_admin'
  END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  -- parley_publish waits here, and then neither brings the erased user back into a direct channel nor takes a message for them.
  PERFORM FROM "Channel" c WHERE c.id IN (
    SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = target_id
    UNION SELECT p."channelId" FROM "DirectPeer" p WHERE p."userId" = target_id) ORDER BY c.id FOR NO KEY UPDATE;
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, true) e;
  DELETE FROM "ChannelInvite" i WHERE i."userId" = target_id;
  DELETE FROM "ChannelModerator" m WHERE m."userId" = target_id;
  PERFORM parley_erase_from_reports(target_id);
  PERFORM parley_end_logins(target_id, 0);
  UPDATE "User" u SET email = NULL, name = 'deleted user', "passwordHash" = NULL, role = 'user', "disabledAt" = coalesce(u."disabledAt", clock_timestamp())
    WHERE u.id = target_id;
  DELETE FROM "UserBlock" b WHERE b."userId" = target_id OR b."blockedId" = target_id;
  WITH unread AS (
    DELETE FROM "Channel" c USING "DirectPeer" p JOIN "User" u ON u.id = p."peerId" AND u.email IS NULL
      WHERE p."userId" = target_id AND c.id = p."channelId" RETURNING c.id
  ) INSERT INTO "DeletedChannel" (id) SELECT unread.id FROM unread;
  PERFORM parley_log(coalesce(actor_id, target_id), 'erase_user', target_id, nowhere, NULL, NULL, log_id);
END $$;

-- [P47] Returns the other user of a direct channel as JSON, {user_id, username, handle}; null if they are gone altogether.
CREATE OR REPLACE FUNCTION parley_peer(channel uuid, member uuid) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('user_id', u.id, 'username', u.name, 'handle', u.handle)
  FROM "DirectPeer" p JOIN "User" u ON u.id = p."peerId" WHERE p."channelId" = channel AND p."userId" = member
$$;
