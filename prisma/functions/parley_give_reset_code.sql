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
