-- Replaces the hash `from_hash` and ends all logins but `login`, which counts as used. `code` says why not; `ended` is as
-- parley_end_logins returns it.
DROP FUNCTION IF EXISTS parley_change_password(uuid, uuid, text, text);
CREATE OR REPLACE FUNCTION parley_change_password(target_id uuid, login uuid, from_hash text, to_hash text)
RETURNS TABLE (code text, ended uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = target_id AND u."disabledAt" IS NULL FOR NO KEY UPDATE;
  code := CASE
    WHEN us.id IS NULL OR NOT parley_login_is_live(us, login) THEN 'authentication_failed'
    WHEN us."passwordHash" IS DISTINCT FROM from_hash THEN 'not_authorized'
  END;
  IF code IS NULL THEN
    UPDATE "User" u SET "passwordHash" = to_hash WHERE u.id = us.id;
    UPDATE "RefreshToken" t SET "createdAt" = parley_login_time(us)
      WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
    ended := ARRAY(SELECT parley_end_logins(us.id, 1));
  END IF;
  RETURN NEXT;
END $$;
