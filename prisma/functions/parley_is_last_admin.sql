-- [P55] Is nobody but this user an enabled admin? For functions that hold the user's lock and are about to end that. They wait for one
-- another until they have committed, so that no two of them count on each other's admin.
CREATE OR REPLACE FUNCTION parley_is_last_admin(target "User") RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF target.role <> 'admin' OR target."disabledAt" IS NOT NULL THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock(7275396);
  RETURN NOT EXISTS (SELECT FROM "User" u WHERE u.role = 'admin' AND u."disabledAt" IS NULL AND u.id <> target.id);
END $$;
