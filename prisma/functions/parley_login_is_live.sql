-- [P12] [P56] Is this a login of the user's that is not over? Null is a guest's, who has none, and what an instance of the release before
-- sends. (PL/pgSQL, because PostgreSQL plans an SQL function that reads a table anew in every statement that calls it: 90 µs. Without
-- `enable_seqscan = off` a plan that was made while the table was small would go on reading all of it.)
CREATE OR REPLACE FUNCTION parley_login_is_live(us "User", login uuid) RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN login IS NULL OR (
    EXISTS (SELECT FROM "RefreshToken" t
      WHERE t."familyId" = login AND t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId")))
    AND NOT EXISTS (SELECT FROM "RefreshToken" t WHERE t."familyId" = login AND t."revokedAt" IS NOT NULL));
END $$;
