-- [P48] Says whether a user blocks another one.
CREATE OR REPLACE FUNCTION parley_blocks(us uuid, other uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM "UserBlock" b WHERE b."userId" = us AND b."blockedId" = other)
$$;
