-- [P55] The user who acts, as they are now: all null where they are gone or disabled, or the login they act by has ended.
-- Call it in a statement of its own after those that take the locks, so that it sees what committed while they waited.
CREATE OR REPLACE FUNCTION parley_actor(user_id uuid, login uuid) RETURNS "User" LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = user_id AND u."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(u, login));
  RETURN us;
END $$;
