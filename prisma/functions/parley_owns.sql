-- Its creator or an admin: who may change or delete a channel and name its moderators. A role that no longer fits the
-- channel's type ends a creator's rights too [P15]; a guest has none [P16].
CREATE OR REPLACE FUNCTION parley_owns(us "User", ch "Channel") RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT us.role = 'admin' OR (us.email IS NOT NULL AND coalesce(ch."createdBy" = us.id, false) AND parley_role_fits(us.role, ch."channelType"))
$$;
