-- Replaces the acting user's password hash if it is still `old_hash`, the one that was just verified, and ends all their logins except
-- `login`. `code` says why nothing changed; `ended` has the ids from parley_end_logins.
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
    ended := ARRAY(SELECT parley_end_logins_but(us, login));
  END IF;
  RETURN NEXT;
END $$;
