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
