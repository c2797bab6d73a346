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
