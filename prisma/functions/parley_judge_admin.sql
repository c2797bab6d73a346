-- [P55] Returns null if this user may act as an admin with this login, else an error code. A null user is the operator at the command
-- line, who always may. The caller has locked the user.
CREATE OR REPLACE FUNCTION parley_judge_admin(actor_id uuid, login uuid) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  us "User";
BEGIN
  us := parley_actor(actor_id, login);
  RETURN CASE WHEN actor_id IS NULL THEN NULL WHEN us.id IS NULL THEN 'authentication_failed' WHEN us.role <> 'admin' THEN 'not_authorized' END;
END $$;
