-- Replaces the acting user's password hash if it is still `old_hash`, the one that was just verified, and ends all their logins except
-- `login`, which becomes the most recently used one. `code` says why nothing changed; `ended` has the ids from parley_end_logins.
CREATE OR REPLACE FUNCTION parley_change_password(user_id uuid, login uuid, old_hash text, new_hash text)
RETURNS TABLE (code text, ended uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN us."passwordHash" IS DISTINCT FROM old_hash THEN 'not_authorized'
  END;
  IF code IS NULL THEN
    UPDATE "User" u SET "passwordHash" = new_hash WHERE u.id = us.id;
    UPDATE "RefreshToken" t SET "createdAt" = parley_login_time(us)
      WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
    ended := ARRAY(SELECT parley_end_logins(us.id, 1));
  END IF;
  RETURN NEXT;
END $$;
