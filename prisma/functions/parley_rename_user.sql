-- Changes the acting user's name, for instances of the previous release. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_rename_user(user_id uuid, login uuid, new_name text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  IF us.id IS NULL THEN RETURN 'authentication_failed'; END IF;
  UPDATE "User" u SET name = new_name WHERE u.id = us.id;
  RETURN NULL;
END $$;
