-- [P12] [P56] Returns one row if this is a login of this user that has not ended, else no row. A null login counts as live: guests have
-- none, and instances of the previous release send none. The function returns a set, which PostgreSQL inlines into the calling statement. A
-- function that returns a boolean would be called once per row (10 µs). Callers in PL/pgSQL have to set `enable_seqscan = off` for it.
CREATE OR REPLACE FUNCTION parley_live_login(us "User", login uuid) RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true WHERE login IS NULL OR (
    EXISTS (SELECT FROM "RefreshToken" t
      WHERE t."familyId" = login AND t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId")))
    AND NOT EXISTS (SELECT FROM "RefreshToken" t WHERE t."familyId" = login AND t."revokedAt" IS NOT NULL))
$$;
