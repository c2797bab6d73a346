-- Marks a refresh token as used and stores its successor. Returns false if the token is used or expired, or if its login has ended. The
-- used token is kept as long as its successor, because a client that lost the answer asks for the successor with it [P61].
CREATE OR REPLACE FUNCTION parley_refresh_login(
  used_hash bytea, token_id uuid, token_hash bytea, token_salt bytea, lifetime int
) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  token "RefreshToken";
  us "User";
BEGIN
  SELECT * INTO token FROM "RefreshToken" t WHERE t."tokenHash" = used_hash;
  -- Everything that ends logins takes a stronger lock on the user: it commits before this statement and is seen below, or it waits for this
  -- transaction and then sees the successor.
  SELECT * INTO us FROM "User" u WHERE u.id = token."userId" AND u."disabledAt" IS NULL FOR SHARE;
  IF us.id IS NULL OR NOT EXISTS (SELECT FROM parley_live_login(us, token."familyId")) THEN RETURN false; END IF;
  UPDATE "RefreshToken" t SET "usedAt" = now(), "expiresAt" = greatest(t."expiresAt", now() + make_interval(secs => lifetime))
    WHERE t.id = token.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND t."expiresAt" > now();
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt")
    VALUES (token_id, token_hash, token_salt, us.id, token."familyId", now() + make_interval(secs => lifetime), parley_login_time(us));
  RETURN true;
END $$;
