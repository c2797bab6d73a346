-- Says whether `us` may moderate `target`: not themselves, not the channel's creator, and nobody with a higher role. (The type "Role" lists
-- its values from low to high.)
CREATE OR REPLACE FUNCTION parley_outranks(us "User", target "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT us.id <> target.id AND target.id IS DISTINCT FROM ch."createdBy" AND us.role >= target.role
$$;
