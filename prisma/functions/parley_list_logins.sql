-- [P62] Returns up to `most` logins of a user that have not ended, the most recently used first: those after the login that was last used
-- at `before_time` and has the unused token `before_id`, or from the start if these are null. The settings, and the subquery with `LIMIT 1`,
-- make PostgreSQL read in index order, so that it reads few rows however many logins the user has.
CREATE OR REPLACE FUNCTION parley_list_logins(user_id uuid, before_time timestamptz, before_id uuid, most int)
RETURNS TABLE (login uuid, token_id uuid, device text, network text, used_at timestamptz) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = user_id;
  RETURN QUERY
    SELECT t."familyId", t.id, t.device, t.network, t."createdAt"::timestamptz FROM "RefreshToken" t
    WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
      AND (t."createdAt", t.id) < (coalesce(before_time, 'infinity'), coalesce(before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
      AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId"))
      AND (SELECT true FROM "RefreshToken" r WHERE r."familyId" = t."familyId" AND r."revokedAt" IS NOT NULL LIMIT 1) IS NULL
    ORDER BY t."createdAt" DESC, t.id DESC LIMIT most;
END $$;
