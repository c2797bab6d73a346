-- [P55] Judges and logs an act of an admin that changes no row: announce, or disconnect_user with its target. Null, or the code that
-- says why not.
CREATE OR REPLACE FUNCTION parley_log_admin_act(actor_id uuid, login uuid, act text, target_id uuid, log_id uuid)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR SHARE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  IF target_id IS NOT NULL AND NOT EXISTS (SELECT FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL) THEN RETURN 'user_not_found'; END IF;
  PERFORM parley_log(actor_id, act, target_id, nowhere, NULL, NULL, log_id);
  RETURN NULL;
END $$;
