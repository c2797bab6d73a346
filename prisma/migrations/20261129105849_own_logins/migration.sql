-- AlterTable
ALTER TABLE "RefreshToken" ADD COLUMN     "device" TEXT,
ADD COLUMN     "network" TEXT;

-- Replaces the acting user's password hash if it is still `old_hash`, the one that was just verified, and ends all their logins except
-- `login`. `code` says why nothing changed; `ended` has the ids from parley_end_logins.
CREATE OR REPLACE FUNCTION parley_change_password(user_id uuid, login uuid, old_hash text, new_hash text)
RETURNS TABLE (code text, ended uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN us."passwordHash" IS DISTINCT FROM old_hash THEN 'not_authorized'
  END;
  IF code IS NULL THEN
    UPDATE "User" u SET "passwordHash" = new_hash WHERE u.id = us.id;
    ended := ARRAY(SELECT parley_end_logins_but(us, login));
  END IF;
  RETURN NEXT;
END $$;

-- Ends one login. Returns false if there was nothing to end. Locking the user makes it wait for their writes that use this login.
CREATE OR REPLACE FUNCTION parley_end_login(login uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT t."userId" FROM "RefreshToken" t WHERE t."familyId" = login LIMIT 1) FOR NO KEY UPDATE;
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp(), device = NULL, network = NULL
    WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
  RETURN FOUND;
END $$;

-- Ends all logins of a user except the `spared` most recently used ones. The caller has locked the user `FOR NO KEY UPDATE`. Up to 1000
-- logins end by a mark on their refresh tokens, and their ids are returned, so that their connections can be closed at once. If there may be
-- more, the mark `loginsEndedUpTo` on the user ends the rest without touching their rows; instances find those connections by themselves.
CREATE OR REPLACE FUNCTION parley_end_logins(target_id uuid, spared int) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  most CONSTANT int := 1000;
  us "User";
  newest "RefreshToken";
  ended int;
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = target_id;
  SELECT * INTO newest FROM "RefreshToken" t
    WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
      AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId"))
    ORDER BY t."createdAt" DESC, t.id DESC OFFSET spared LIMIT 1;
  IF newest.id IS NULL THEN RETURN; END IF;
  RETURN QUERY
    UPDATE "RefreshToken" r SET "revokedAt" = clock_timestamp(), device = NULL, network = NULL WHERE r.id IN (
      SELECT t.id FROM "RefreshToken" t
      WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND (t."createdAt", t.id) <= (newest."createdAt", newest.id)
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId"))
      ORDER BY t."createdAt" DESC, t.id DESC LIMIT most)
    RETURNING r."familyId";
  GET DIAGNOSTICS ended = ROW_COUNT;
  IF ended = most THEN
    UPDATE "User" u SET "loginsEndedUpTo" = newest."createdAt", "loginsEndedUpToId" = newest.id WHERE u.id = us.id;
  END IF;
END $$;

-- Ends all logins of a user except `login`, which becomes the most recently used one. The caller has locked the user `FOR NO KEY UPDATE`.
-- Returns the ids from parley_end_logins.
CREATE OR REPLACE FUNCTION parley_end_logins_but(us "User", login uuid) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  UPDATE "RefreshToken" t SET "createdAt" = parley_login_time(us)
    WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
  RETURN QUERY SELECT parley_end_logins(us.id, 1);
END $$;

-- [P62] Ends all logins of the acting user except `login`, the one they act by. `code` says why nothing changed; `ended` has the ids from
-- parley_end_logins.
CREATE OR REPLACE FUNCTION parley_end_other_logins(user_id uuid, login uuid)
RETURNS TABLE (code text, ended uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  IF us.id IS NULL THEN
    code := 'authentication_failed';
  ELSE
    ended := ARRAY(SELECT parley_end_logins_but(us, login));
  END IF;
  RETURN NEXT;
END $$;

-- [P62] Ends the login `ended_login` of the acting user, who acts by `login`; both may be the same. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_end_own_login(user_id uuid, login uuid, ended_login uuid)
RETURNS text LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  IF us.id IS NULL THEN RETURN 'authentication_failed'; END IF;
  IF NOT EXISTS (SELECT FROM parley_live_login(us, ended_login)) THEN RETURN 'login_not_found'; END IF;
  PERFORM parley_end_login(ended_login);
  RETURN NULL;
END $$;

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

-- Marks a refresh token as used and stores its successor. Returns false if the token is used or expired, or if its login has ended. The
-- used token is kept as long as its successor, because a client that lost the answer asks for the successor with it [P61].
-- Where a client does not say what it is, and for instances of the previous release, `device` and `network` stay as they are [P62].
DROP FUNCTION IF EXISTS parley_refresh_login(bytea, uuid, bytea, bytea, int);
CREATE OR REPLACE FUNCTION parley_refresh_login(
  used_hash bytea, token_id uuid, token_hash bytea, token_salt bytea, lifetime int,
  client_device text DEFAULT NULL, client_network text DEFAULT NULL
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
  UPDATE "RefreshToken" t SET "usedAt" = now(), "expiresAt" = greatest(t."expiresAt", now() + make_interval(secs => lifetime)),
      device = NULL, network = NULL
    WHERE t.id = token.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND t."expiresAt" > now();
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt", device, network)
    VALUES (token_id, token_hash, token_salt, us.id, token."familyId", now() + make_interval(secs => lifetime), parley_login_time(us),
      coalesce(client_device, token.device), coalesce(client_network, token.network));
  RETURN true;
END $$;

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
