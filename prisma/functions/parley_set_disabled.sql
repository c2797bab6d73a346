-- Disables or enables a user. Their channels are locked too, so that every message of theirs that commits later is refused.
-- `actor_id` is null for the operator at the command line.
DROP FUNCTION IF EXISTS parley_set_disabled(uuid, uuid, boolean, uuid);
CREATE OR REPLACE FUNCTION parley_set_disabled(actor_id uuid, target_id uuid, disable boolean, log_id uuid, login uuid DEFAULT NULL)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
  refusal text;
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL;
  IF target.id IS NULL THEN RETURN 'user_not_found'; END IF;
  IF actor_id = target_id THEN RETURN 'not_authorized'; END IF;
  IF (target."disabledAt" IS NOT NULL) = disable THEN RETURN NULL; END IF;
  IF disable AND parley_is_last_admin(target) THEN RETURN 'last_admin'; END IF;
  PERFORM FROM "Channel" c WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = target_id) ORDER BY c.id FOR NO KEY UPDATE;
  UPDATE "User" u SET "disabledAt" = CASE WHEN disable THEN clock_timestamp() END WHERE u.id = target_id;
  IF disable THEN
    PERFORM parley_end_logins(target_id, 0);
  END IF;
  PERFORM parley_log(actor_id, CASE WHEN disable THEN 'disable_user' ELSE 'enable_user' END, target_id, nowhere, NULL, NULL, log_id);
  RETURN NULL;
END $$;
