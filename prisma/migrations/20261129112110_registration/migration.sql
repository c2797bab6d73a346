-- CreateTable
CREATE TABLE "InvitationCode" (
    "id" UUID NOT NULL,
    "codeHash" BYTEA NOT NULL,
    "uses" INTEGER NOT NULL,
    "usesLeft" INTEGER NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "channelIds" UUID[],
    "createdBy" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "InvitationCode_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "InvitationCode_codeHash_key" ON "InvitationCode"("codeHash");

-- [P64] Stores an admin's new invitation code for `uses` registrations within `lifetime` seconds. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_create_invitation_code(actor_id uuid, login uuid, new_id uuid, code_hash bytea, uses int, lifetime int,
  channel_names text[]) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
  ids uuid[];
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR SHARE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  ids := ARRAY(SELECT c.id FROM "Channel" c WHERE c.name = ANY (channel_names));
  IF cardinality(ids) < cardinality(channel_names) THEN RETURN 'channel_not_found'; END IF;
  -- New users have the role user.
  IF EXISTS (SELECT FROM "Channel" c WHERE c.id = ANY (ids) AND NOT parley_role_fits('user', c."channelType")) THEN RETURN 'invalid_channel_type'; END IF;
  INSERT INTO "InvitationCode" (id, "codeHash", uses, "usesLeft", "expiresAt", "channelIds", "createdBy", "createdAt")
    VALUES (new_id, code_hash, uses, uses, clock_timestamp() + make_interval(secs => lifetime), ids, actor_id, clock_timestamp());
  PERFORM parley_log(actor_id, 'create_invitation_code', NULL, nowhere, new_id::text, NULL, NULL);
  RETURN NULL;
END $$;

-- [P64] Makes an account. `code_hash` is null where no invitation code is needed; otherwise one use of the code is taken in this statement, and
-- the new user joins its channels, except those that are gone, full or not for users any more. `code` says why nothing was written. An email
-- that is taken already raises `unique_violation`, which also gives the use back. A cap of 0 means no cap.
CREATE OR REPLACE FUNCTION parley_register(new_id uuid, new_email text, new_name text, password_hash text, code_hash bytea, max_channels int,
  max_users int, default_room text)
RETURNS TABLE (code text, created_at timestamptz) LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  invitation "InvitationCode";
BEGIN
  IF code_hash IS NOT NULL THEN
    -- Registrations with one code wait here for each other, and each sees the uses that are left after the one before it.
    UPDATE "InvitationCode" i SET "usesLeft" = i."usesLeft" - 1
      WHERE i."codeHash" = code_hash AND i."usesLeft" > 0 AND i."expiresAt" > clock_timestamp() RETURNING * INTO invitation;
    IF invitation.id IS NULL THEN
      code := 'invalid_invitation_code';
      RETURN NEXT;
      RETURN;
    END IF;
  END IF;
  INSERT INTO "User" AS u (id, email, name, "passwordHash") VALUES (new_id, new_email, new_name, password_hash) RETURNING u."createdAt" INTO created_at;
  PERFORM FROM "Channel" c WHERE c.id = ANY (invitation."channelIds") ORDER BY c.id FOR NO KEY UPDATE;
  WITH joined AS (
    INSERT INTO "ChannelUser" ("channelId", "userId")
    SELECT c.id, new_id FROM "Channel" c
    WHERE c.id = ANY (invitation."channelIds") AND parley_role_fits('user', c."channelType")
      AND (max_users = 0 OR c."userCount" < max_users OR c.name = default_room)
    ORDER BY c.id LIMIT nullif(max_channels, 0)
    RETURNING "channelId"
  )
  UPDATE "Channel" c SET "userCount" = c."userCount" + 1 FROM joined WHERE c.id = joined."channelId";
  RETURN NEXT;
END $$;

-- [P64] Deletes an invitation code on behalf of an admin. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_revoke_invitation_code(actor_id uuid, login uuid, code_id uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR SHARE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  DELETE FROM "InvitationCode" i WHERE i.id = code_id;
  IF NOT FOUND THEN RETURN 'invitation_code_not_found'; END IF;
  PERFORM parley_log(actor_id, 'revoke_invitation_code', NULL, nowhere, code_id::text, NULL, NULL);
  RETURN NULL;
END $$;
