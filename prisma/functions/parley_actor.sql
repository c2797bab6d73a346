-- [P55] Returns the acting user as they are now. All fields are null if the user is gone or disabled, or if the login has ended.
-- Call it in a statement of its own after the statements that take the locks: it then sees everything that committed during the wait.
CREATE OR REPLACE FUNCTION parley_actor(user_id uuid, login uuid) RETURNS "User" LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = user_id AND u."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(u, login));
  RETURN us;
END $$;
