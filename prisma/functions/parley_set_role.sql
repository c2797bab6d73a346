-- [P15] Changes a user's role and ends the memberships that the new role does not allow. Nobody changes their own role. `actor_id` is null
-- for the operator at the command line.
DROP FUNCTION IF EXISTS parley_set_role(uuid, uuid, "Role", uuid);
CREATE OR REPLACE FUNCTION parley_set_role(actor_id uuid, target_id uuid, new_role "Role", log_id uuid, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL;
  code := coalesce(parley_judge_admin(actor_id, login),
    CASE WHEN target.id IS NULL THEN 'user_not_found' WHEN actor_id = target_id THEN 'not_authorized' END);
  IF code IS NULL AND target.role = new_role THEN RETURN; END IF;
  IF code IS NULL AND parley_is_last_admin(target) THEN code := 'last_admin'; END IF;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  UPDATE "User" u SET role = new_role WHERE u.id = target_id;
  PERFORM parley_log(actor_id, 'set_role_' || new_role, target_id, nowhere, NULL, NULL, log_id);
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, false) e;
END $$;
