-- [P55] May this user act as an admin by this login? Null, or the code that says why not. A null user is the operator at the command
-- line, who may. For functions that hold the user's lock.
CREATE OR REPLACE FUNCTION parley_judge_admin(actor_id uuid, login uuid) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  us "User";
BEGIN
  us := parley_actor(actor_id, login);
  RETURN CASE WHEN actor_id IS NULL THEN NULL WHEN us.id IS NULL THEN 'authentication_failed' WHEN us.role <> 'admin' THEN 'not_authorized' END;
END $$;
