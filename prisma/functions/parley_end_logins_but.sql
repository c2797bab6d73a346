-- Ends all logins of a user except `login`, which becomes the most recently used one. The caller has locked the user `FOR NO KEY UPDATE`.
-- Returns the ids from parley_end_logins.
CREATE OR REPLACE FUNCTION parley_end_logins_but(us "User", login uuid) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  UPDATE "RefreshToken" t SET "createdAt" = parley_login_time(us)
    WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
  RETURN QUERY SELECT parley_end_logins(us.id, 1);
END $$;
