-- CreateEnum
CREATE TYPE "CodeKind" AS ENUM ('given_reset', 'mailed_reset', 'verification');

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "emailVerifiedAt" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "AccountCode" (
    "userId" UUID NOT NULL,
    "kind" "CodeKind" NOT NULL,
    "codeHash" BYTEA NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "AccountCode_pkey" PRIMARY KEY ("userId","kind")
);

-- CreateIndex
CREATE UNIQUE INDEX "AccountCode_codeHash_key" ON "AccountCode"("codeHash");

-- CreateIndex
CREATE INDEX "AccountCode_expiresAt_idx" ON "AccountCode"("expiresAt");

-- AddForeignKey
ALTER TABLE "AccountCode" ADD CONSTRAINT "AccountCode_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- [P75] Trigger on "User": ends a user's codes when their password, their address or whether they are disabled changes. Only a new password leaves
-- the code that verifies the address. A new address is not verified.
CREATE OR REPLACE FUNCTION parley_end_codes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.email IS DISTINCT FROM OLD.email THEN
    NEW."emailVerifiedAt" := NULL;
  END IF;
  DELETE FROM "AccountCode" a WHERE a."userId" = NEW.id
    AND (a.kind <> 'verification' OR (NEW.email, NEW."disabledAt") IS DISTINCT FROM (OLD.email, OLD."disabledAt"));
  RETURN NEW;
END $$;

-- [P75] Stores the code that an admin, or the operator if `actor_id` is null, gives to a user who forgot their password. Nobody gives themselves
-- one, because that would set a new password without the old one, and a disabled account has to be enabled first.
CREATE OR REPLACE FUNCTION parley_give_reset_code(actor_id uuid, login uuid, target_id uuid, code_hash bytea, lifetime int)
RETURNS TABLE (code text, expires_at timestamptz) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL;
  code := coalesce(parley_judge_admin(actor_id, login), CASE
    WHEN target.id IS NULL THEN 'user_not_found'
    WHEN actor_id = target_id OR target."disabledAt" IS NOT NULL THEN 'not_authorized'
  END);
  IF code IS NULL THEN
    expires_at := parley_store_code(target_id, 'given_reset', code_hash, lifetime);
    PERFORM parley_log(actor_id, 'reset_password', target_id, nowhere, NULL, NULL, NULL);
  END IF;
  RETURN NEXT;
END $$;

-- [P75] [P76] Stores the code of a mail to this address, in place of the one before it of the same kind. Returns false if no enabled account has
-- the address, or if its verification is asked for although it is verified: then no mail is to be sent.
CREATE OR REPLACE FUNCTION parley_mail_code(address text, code_kind "CodeKind", code_hash bytea, lifetime int) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.email = address AND u."disabledAt" IS NULL FOR NO KEY UPDATE;
  IF us.id IS NULL OR (code_kind = 'verification' AND us."emailVerifiedAt" IS NOT NULL) THEN RETURN false; END IF;
  PERFORM parley_store_code(us.id, code_kind, code_hash, lifetime);
  RETURN true;
END $$;

-- [P75] Sets a new password for the user of a code and ends all their logins. A code that came by mail proves the address, too. `user_id` is null if
-- the code cannot be used; `ended` has the ids from parley_end_logins.
CREATE OR REPLACE FUNCTION parley_reset_password(code_hash bytea, new_hash text)
RETURNS TABLE (user_id uuid, ended uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  taken "AccountCode";
BEGIN
  taken := parley_take_code(code_hash, '{given_reset,mailed_reset}');
  user_id := taken."userId";
  IF user_id IS NOT NULL THEN
    UPDATE "User" u SET "passwordHash" = new_hash,
        "emailVerifiedAt" = CASE WHEN taken.kind = 'mailed_reset' THEN coalesce(u."emailVerifiedAt", clock_timestamp()) ELSE u."emailVerifiedAt" END
      WHERE u.id = user_id;
    ended := ARRAY(SELECT parley_end_logins(user_id, 0));
  END IF;
  RETURN NEXT;
END $$;

-- Stores a code of a user, who is locked, for `lifetime` seconds, in place of the one before it of the same kind. Returns when it expires.
CREATE OR REPLACE FUNCTION parley_store_code(owner uuid, code_kind "CodeKind", code_hash bytea, lifetime int) RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
  INSERT INTO "AccountCode" ("userId", kind, "codeHash", "expiresAt")
  VALUES (owner, code_kind, code_hash, clock_timestamp() + make_interval(secs => lifetime))
  ON CONFLICT ("userId", kind) DO UPDATE SET "codeHash" = EXCLUDED."codeHash", "expiresAt" = EXCLUDED."expiresAt"
  RETURNING "expiresAt"
$$;

-- [P75] [P76] Takes a code: returns it and deletes it, if it has not expired and its user is enabled. All fields are null otherwise. The lock on the
-- user makes it wait for others who take the code, and for what ends codes (parley_end_codes): it then finds nothing.
CREATE OR REPLACE FUNCTION parley_take_code(wanted_hash bytea, kinds "CodeKind"[]) RETURNS "AccountCode" LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  taken "AccountCode";
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT a."userId" FROM "AccountCode" a WHERE a."codeHash" = wanted_hash) FOR NO KEY UPDATE;
  DELETE FROM "AccountCode" a USING "User" u
    WHERE a."codeHash" = wanted_hash AND a.kind = ANY (kinds) AND a."expiresAt" > clock_timestamp()
      AND u.id = a."userId" AND u.email IS NOT NULL AND u."disabledAt" IS NULL
    RETURNING a.* INTO taken;
  RETURN taken;
END $$;

-- [P76] Marks the address of a code's user as verified. Returns false if the code cannot be used.
CREATE OR REPLACE FUNCTION parley_verify_email(code_hash bytea) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  taken "AccountCode";
BEGIN
  taken := parley_take_code(code_hash, '{verification}');
  UPDATE "User" u SET "emailVerifiedAt" = coalesce(u."emailVerifiedAt", clock_timestamp()) WHERE u.id = taken."userId";
  RETURN taken."userId" IS NOT NULL;
END $$;

-- Guests have no codes. Ending them, which happens often, does not run the trigger.
CREATE TRIGGER end_codes BEFORE UPDATE OF email, "passwordHash", "disabledAt" ON "User" FOR EACH ROW
  WHEN (OLD.email IS NOT NULL
    AND (OLD.email, OLD."passwordHash", OLD."disabledAt") IS DISTINCT FROM (NEW.email, NEW."passwordHash", NEW."disabledAt"))
  EXECUTE FUNCTION parley_end_codes();
