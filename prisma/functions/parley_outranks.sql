-- Nobody moderates himself, the channel's creator, or a user of a higher role. (Roles are declared from low to high.)
CREATE OR REPLACE FUNCTION parley_outranks(us "User", target "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT us.id <> target.id AND target.id IS DISTINCT FROM ch."createdBy" AND us.role >= target.role
$$;
