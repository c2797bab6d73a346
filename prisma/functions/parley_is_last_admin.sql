-- [P55] Says whether this user is the only enabled admin. For functions that have locked the user and are about to demote, disable or
-- erase them. The lock taken here makes them wait for each other's commit, so that no two of them rely on each other's admin to remain.
CREATE OR REPLACE FUNCTION parley_is_last_admin(target "User") RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF target.role <> 'admin' OR target."disabledAt" IS NOT NULL THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock(7275396);
  RETURN NOT EXISTS (SELECT FROM "User" u WHERE u.role = 'admin' AND u."disabledAt" IS NULL AND u.id <> target.id);
END $$;
