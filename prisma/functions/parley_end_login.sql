-- Ends a login. False where it had ended before. The user's lock makes it wait for what they are changing by it.
CREATE OR REPLACE FUNCTION parley_end_login(login uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT t."userId" FROM "RefreshToken" t WHERE t."familyId" = login LIMIT 1) FOR NO KEY UPDATE;
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."familyId" = login AND t."revokedAt" IS NULL;
  RETURN FOUND;
END $$;
