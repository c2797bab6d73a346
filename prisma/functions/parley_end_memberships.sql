-- Ends the memberships that the user's role no longer allows, or all of them if `everywhere`, and returns their channels. The caller has
-- locked the user.
CREATE OR REPLACE FUNCTION parley_end_memberships(member uuid, everywhere boolean)
RETURNS TABLE (channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  item record;
BEGIN
  FOR item IN
    SELECT c.id, c.name, c."channelType" FROM "Channel" c WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = member)
    ORDER BY c.id FOR NO KEY UPDATE
  LOOP
    CONTINUE WHEN NOT everywhere AND (SELECT parley_role_fits(u.role, item."channelType") FROM "User" u WHERE u.id = member);
    channel_id := item.id; channel_name := item.name;
    acl_version := (SELECT r.acl_version FROM parley_end_membership(item.id, member) r);
    RETURN NEXT;
  END LOOP;
END $$;
