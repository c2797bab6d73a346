-- Replaces the password hash of the user who acts, where it still is the one that they have just proved to know.
CREATE OR REPLACE FUNCTION parley_change_password(user_id uuid, login uuid, old_hash text, new_hash text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  IF us.id IS NULL THEN RETURN 'authentication_failed'; END IF;
  IF us."passwordHash" IS DISTINCT FROM old_hash THEN RETURN 'not_authorized'; END IF;
  UPDATE "User" u SET "passwordHash" = new_hash WHERE u.id = us.id;
  RETURN NULL;
END $$;
