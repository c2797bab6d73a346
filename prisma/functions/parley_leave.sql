-- [P20] Ends a membership. `code` is set if the user may not act or does not see the channel; `ended` is false if there was no membership.
DROP FUNCTION IF EXISTS parley_leave(uuid, text);
CREATE OR REPLACE FUNCTION parley_leave(user_id uuid, channel_name text, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, ended boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  ch "Channel";
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE WHEN us.id IS NULL THEN 'authentication_failed' WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found' END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  RETURN QUERY SELECT NULL::text, ch.id, r.acl_version, r.ended FROM parley_end_membership(ch.id, us.id) r;
END $$;
