-- Says whether the rank of the acting user `us` allows an act on `target`. Nobody acts on themselves, on the channel's creator or on a user
-- with a higher role. Whether `us` may moderate the channel at all is judged elsewhere. (The type "Role" lists its values from low to high.)
CREATE OR REPLACE FUNCTION parley_outranks(us "User", target "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT us.id <> target.id AND target.id IS DISTINCT FROM ch."createdBy" AND us.role >= target.role
$$;
