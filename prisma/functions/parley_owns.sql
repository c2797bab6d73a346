-- Says whether the user may change or delete the channel and appoint its moderators: its creator and admins may. A creator whose role no
-- longer fits the channel's type may not [P15], and a guest never may [P16]. Nobody owns a direct channel [P47].
CREATE OR REPLACE FUNCTION parley_owns(us "User", ch "Channel") RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT ch."channelType" <> 'direct' AND (us.role = 'admin'
    OR (us.email IS NOT NULL AND coalesce(ch."createdBy" = us.id, false) AND parley_role_fits(us.role, ch."channelType")))
$$;
