-- [P79] Checks and logs an admin's act of closing a connection: `target_id` is its user, null if it had none. The line's reason is the id of
-- the connection, which is not stored. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_close_connection(actor_id uuid, login uuid, target_id uuid, connection uuid, log_id uuid)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR NO KEY UPDATE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NULL THEN PERFORM parley_log(actor_id, 'close_connection', target_id, nowhere, connection::text, NULL, log_id); END IF;
  RETURN refusal;
END $$;
