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
