-- Ends one login. False where there was nothing to end. The user's lock makes it wait for what they are changing by it.
CREATE OR REPLACE FUNCTION parley_end_login(login uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT t."userId" FROM "RefreshToken" t WHERE t."familyId" = login LIMIT 1) FOR NO KEY UPDATE;
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
  RETURN FOUND;
END $$;
