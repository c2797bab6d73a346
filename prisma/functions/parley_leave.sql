-- [P20] Ends a membership. `code` where the user does not see the channel; `ended` false where there was no membership.
CREATE OR REPLACE FUNCTION parley_leave(user_id uuid, channel_name text)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, ended boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  ch "Channel";
  us "User";
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  SELECT * INTO us FROM "User" u WHERE u.id = user_id;
  IF ch.id IS NULL OR us.id IS NULL OR NOT parley_sees(us, ch) THEN
    RETURN QUERY SELECT 'channel_not_found', NULL::uuid, NULL::bigint, false;
    RETURN;
  END IF;
  RETURN QUERY SELECT NULL::text, ch.id, r.acl_version, r.ended FROM parley_end_membership(ch.id, us.id) r;
END $$;
