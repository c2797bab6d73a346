-- Starts a login. Returns the logins that it ended: the longest unused ones beyond `max_logins` (0 means no limit) [P56]. Returns null if
-- the account is disabled or its hash is no longer `password_hash`. Other functions that end logins wait for the lock and see this login.
-- Instances of the previous release give neither `client_device` nor `client_network`.
DROP FUNCTION IF EXISTS parley_start_login(uuid, uuid, text, int, uuid, bytea, bytea, int);
CREATE OR REPLACE FUNCTION parley_start_login(
  target_id uuid, login uuid, password_hash text, max_logins int, token_id uuid, token_hash bytea, token_salt bytea, lifetime int,
  client_device text DEFAULT NULL, client_network text DEFAULT NULL
) RETURNS uuid[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u
    WHERE u.id = target_id AND u."disabledAt" IS NULL AND u."passwordHash" = password_hash FOR NO KEY UPDATE;
  IF us.id IS NULL THEN RETURN NULL; END IF;
  INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt", device, network)
    VALUES (token_id, token_hash, token_salt, us.id, login, now() + make_interval(secs => lifetime), parley_login_time(us),
      client_device, client_network);
  IF max_logins = 0 THEN RETURN '{}'; END IF;
  RETURN ARRAY(SELECT parley_end_logins(us.id, max_logins));
END $$;
