-- [P55] Checks and logs an admin's act: `announce`, or `disconnect_user` with its target, whose count of disconnects then rises. All
-- instances poll that count to find the connections that they have to close [P60]. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_log_admin_act(actor_id uuid, login uuid, act text, target_id uuid, log_id uuid)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  IF target_id IS NOT NULL AND NOT EXISTS (SELECT FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL) THEN RETURN 'user_not_found'; END IF;
  IF act = 'disconnect_user' THEN
    UPDATE "User" u SET disconnects = u.disconnects + 1 WHERE u.id = target_id;
  END IF;
  PERFORM parley_log(actor_id, act, target_id, nowhere, NULL, NULL, log_id);
  RETURN NULL;
END $$;
