-- Ends one login. Returns false if there was nothing to end. Locking the user makes it wait for their writes that use this login.
CREATE OR REPLACE FUNCTION parley_end_login(login uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT t."userId" FROM "RefreshToken" t WHERE t."familyId" = login LIMIT 1) FOR NO KEY UPDATE;
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp(), device = NULL, network = NULL
    WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
  RETURN FOUND;
END $$;
