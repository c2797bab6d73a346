-- [P64] Makes an account. `code_hash` is null where no invitation code is needed; otherwise one use of the code is taken in this statement, and
-- the new user joins its channels, except those that are gone, full or not for users any more. `code` says why nothing was written. An email
-- that is taken already raises `unique_violation`, which also gives the use back. A cap of 0 means no cap. `new_handle` is null where the
-- handle is made from the name [P65]; instances of the previous release never give one.
DROP FUNCTION IF EXISTS parley_register(uuid, text, text, text, bytea, int, int, text);
CREATE OR REPLACE FUNCTION parley_register(new_id uuid, new_email text, new_name text, password_hash text, code_hash bytea, max_channels int,
  max_users int, default_room text, new_handle text DEFAULT NULL)
RETURNS TABLE (code text, created_at timestamptz, handle text) LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  invitation "InvitationCode";
  us "User";
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
  us := parley_add_account(new_id, new_email, new_name, password_hash, new_handle);
  IF us.id IS NULL THEN
    code := 'handle_taken';
    UPDATE "InvitationCode" i SET "usesLeft" = i."usesLeft" + 1 WHERE i.id = invitation.id;
    RETURN NEXT;
    RETURN;
  END IF;
  created_at := us."createdAt";
  handle := us.handle;
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
