-- [P12] Is this a login of the user's that has not ended? Null is a guest's, who has none, and what an instance of the release before
-- sends. A login has ended once any of its refresh tokens is revoked: the index (familyId, revokedAt) has that one first.
-- (PL/pgSQL, because PostgreSQL plans an SQL function that reads a table anew in every statement that calls it: 90 µs.)
CREATE OR REPLACE FUNCTION parley_login_is_live(us "User", login uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN login IS NULL OR coalesce((
    SELECT t."revokedAt" IS NULL AND t."userId" = us.id FROM "RefreshToken" t WHERE t."familyId" = login ORDER BY t."revokedAt" LIMIT 1), false);
END $$;
