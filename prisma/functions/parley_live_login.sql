-- [P12] [P56] One row where this is a login of the user's that is not over, else none. Null is a guest's, who has none, and what an
-- instance of the release before sends. (As a set it becomes a part of the statement that asks, whose `enable_seqscan = off` it needs in
-- PL/pgSQL. PostgreSQL calls a function that returns a boolean once for each row: 10 µs.)
CREATE OR REPLACE FUNCTION parley_live_login(us "User", login uuid) RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true WHERE login IS NULL OR (
    EXISTS (SELECT FROM "RefreshToken" t
      WHERE t."familyId" = login AND t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId")))
    AND NOT EXISTS (SELECT FROM "RefreshToken" t WHERE t."familyId" = login AND t."revokedAt" IS NOT NULL))
$$;
