-- DropIndex
DROP INDEX "RefreshToken_familyId_idx";

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "loginsEndedUpTo" TIMESTAMPTZ(3),
ADD COLUMN     "loginsEndedUpToId" UUID;

-- CreateIndex
CREATE INDEX "RefreshToken_familyId_expiresAt_idx" ON "RefreshToken"("familyId", "expiresAt");

-- CreateIndex
CREATE INDEX "RefreshToken_familyId_unused_idx" ON "RefreshToken"("familyId") WHERE ("usedAt" IS NULL AND "revokedAt" IS NULL);

-- CreateIndex
CREATE INDEX "RefreshToken_familyId_revoked_idx" ON "RefreshToken"("familyId") WHERE ("revokedAt" IS NOT NULL);

-- CreateIndex
CREATE INDEX "RefreshToken_userId_unused_idx" ON "RefreshToken"("userId", "createdAt", "id") WHERE ("usedAt" IS NULL AND "revokedAt" IS NULL);

-- Replaces the hash `from_hash` and ends all logins but `login`, which counts as used. `code` says why not; `ended` is as
-- parley_end_logins returns it.
DROP FUNCTION IF EXISTS parley_change_password(uuid, uuid, text, text);
CREATE OR REPLACE FUNCTION parley_change_password(target_id uuid, login uuid, from_hash text, to_hash text)
RETURNS TABLE (code text, ended uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = target_id AND u."disabledAt" IS NULL FOR NO KEY UPDATE;
  code := CASE
    WHEN us.id IS NULL OR NOT parley_login_is_live(us, login) THEN 'authentication_failed'
    WHEN us."passwordHash" IS DISTINCT FROM from_hash THEN 'not_authorized'
  END;
  IF code IS NULL THEN
    UPDATE "User" u SET "passwordHash" = to_hash WHERE u.id = us.id;
    UPDATE "RefreshToken" t SET "createdAt" = parley_login_time(us)
      WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
    ended := ARRAY(SELECT parley_end_logins(us.id, 1));
  END IF;
  RETURN NEXT;
END $$;

-- Ends one login. False where there was nothing to end.
CREATE OR REPLACE FUNCTION parley_end_login(login uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT t."userId" FROM "RefreshToken" t WHERE t."familyId" = login LIMIT 1) FOR NO KEY UPDATE;
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."familyId" = login AND t."usedAt" IS NULL AND t."revokedAt" IS NULL;
  RETURN FOUND;
END $$;

-- Ends all logins of the user but the `spared` most recently used ones; returns up to a thousand of those ended. The caller has locked
-- the user `FOR NO KEY UPDATE`. A thousand tokens are revoked; where there are more, the mark on the user ends them all without
-- touching them.
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
    UPDATE "RefreshToken" r SET "revokedAt" = clock_timestamp() WHERE r.id IN (
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

-- Erases an account: disabled, in no channel, without email, name and hash, its logins revoked. What it wrote stays.
-- `actor_id` is null where the user does it himself.
CREATE OR REPLACE FUNCTION parley_erase_user(actor_id uuid, target_id uuid, log_id uuid)
RETURNS TABLE (code text, channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL FOR NO KEY UPDATE;
  code := CASE WHEN NOT FOUND THEN 'user_not_found' WHEN actor_id = target_id THEN 'not_authorized' END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, true) e;
  DELETE FROM "ChannelInvite" i WHERE i."userId" = target_id;
  DELETE FROM "ChannelModerator" m WHERE m."userId" = target_id;
  PERFORM parley_end_logins(target_id, 0);
  UPDATE "User" u SET email = NULL, name = 'deleted user', "passwordHash" = NULL, role = 'user', "disabledAt" = coalesce(u."disabledAt", clock_timestamp())
    WHERE u.id = target_id;
  PERFORM parley_log(coalesce(actor_id, target_id), 'erase_user', target_id, nowhere, NULL, NULL, log_id);
END $$;

-- Is this login of the user not over [P12] [P56]? A guest has no login: `login` is null.
-- Without `enable_seqscan = off` a plan that was made while the table was small would go on reading all of it.
CREATE OR REPLACE FUNCTION parley_login_is_live(us "User", login uuid) RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN login IS NULL OR (
    EXISTS (SELECT FROM "RefreshToken" t
      WHERE t."familyId" = login AND t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId")))
    AND NOT EXISTS (SELECT FROM "RefreshToken" t WHERE t."familyId" = login AND t."revokedAt" IS NOT NULL));
END $$;

-- The `createdAt` of a token that makes its login the user's most recently used one. The caller has locked the user.
CREATE OR REPLACE FUNCTION parley_login_time(us "User") RETURNS timestamptz LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  -- GREATEST passes over nulls.
  RETURN greatest(clock_timestamp(), us."loginsEndedUpTo" + interval '1 millisecond', (
    SELECT t."createdAt" + interval '1 millisecond' FROM "RefreshToken" t
    WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL ORDER BY t."createdAt" DESC, t.id DESC LIMIT 1));
END $$;

-- Marks a refresh token used and stores its successor. False where it was used or had expired by then, or its login was over.
CREATE OR REPLACE FUNCTION parley_refresh_login(
  used_hash bytea, token_id uuid, token_hash bytea, token_salt bytea, lifetime int
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  token "RefreshToken";
  us "User";
BEGIN
  SELECT * INTO token FROM "RefreshToken" t WHERE t."tokenHash" = used_hash;
  -- Whatever ends logins takes a stronger lock on the user: it comes before this statement and is seen below, or sees the successor.
  SELECT * INTO us FROM "User" u WHERE u.id = token."userId" AND u."disabledAt" IS NULL FOR SHARE;
  IF us.id IS NULL OR NOT parley_login_is_live(us, token."familyId") THEN RETURN false; END IF;
  UPDATE "RefreshToken" t SET "usedAt" = now()
    WHERE t.id = token.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND t."expiresAt" > now();
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt")
    VALUES (token_id, token_hash, token_salt, us.id, token."familyId", now() + make_interval(secs => lifetime), parley_login_time(us));
  RETURN true;
END $$;

-- Disables or enables a user. What he sends in a channel and commits after this is refused: his channels are locked too.
CREATE OR REPLACE FUNCTION parley_set_disabled(actor_id uuid, target_id uuid, disable boolean, log_id uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
BEGIN
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL FOR NO KEY UPDATE;
  IF target.id IS NULL THEN RETURN 'user_not_found'; END IF;
  IF actor_id = target_id THEN RETURN 'not_authorized'; END IF;
  IF (target."disabledAt" IS NOT NULL) = disable THEN RETURN NULL; END IF;
  PERFORM FROM "Channel" c WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = target_id) ORDER BY c.id FOR NO KEY UPDATE;
  UPDATE "User" u SET "disabledAt" = CASE WHEN disable THEN clock_timestamp() END WHERE u.id = target_id;
  IF disable THEN
    PERFORM parley_end_logins(target_id, 0);
  END IF;
  PERFORM parley_log(actor_id, CASE WHEN disable THEN 'disable_user' ELSE 'enable_user' END, target_id, nowhere, NULL, NULL, log_id);
  RETURN NULL;
END $$;

-- Starts a login. Returns the logins that ended for it, the longest unused ones beyond `max_logins` (0 is no limit) [P56]; null where the
-- account is disabled or its hash is not `password_hash` any more. Whatever else ends logins waits for the lock and sees this one.
CREATE OR REPLACE FUNCTION parley_start_login(
  target_id uuid, login uuid, password_hash text, max_logins int, token_id uuid, token_hash bytea, token_salt bytea, lifetime int
) RETURNS uuid[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u
    WHERE u.id = target_id AND u."disabledAt" IS NULL AND u."passwordHash" = password_hash FOR NO KEY UPDATE;
  IF us.id IS NULL THEN RETURN NULL; END IF;
  INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt")
    VALUES (token_id, token_hash, token_salt, us.id, login, now() + make_interval(secs => lifetime), parley_login_time(us));
  IF max_logins = 0 THEN RETURN '{}'; END IF;
  RETURN ARRAY(SELECT parley_end_logins(us.id, max_logins));
END $$;
