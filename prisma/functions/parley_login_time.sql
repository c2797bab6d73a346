-- Returns a `createdAt` for a token that makes its login the user's most recently used one. The caller has locked the user.
CREATE OR REPLACE FUNCTION parley_login_time(us "User") RETURNS timestamptz LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  -- GREATEST ignores nulls.
  RETURN greatest(clock_timestamp(), us."loginsEndedUpTo" + interval '1 millisecond', (
    SELECT t."createdAt" + interval '1 millisecond' FROM "RefreshToken" t
    WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL ORDER BY t."createdAt" DESC, t.id DESC LIMIT 1));
END $$;
