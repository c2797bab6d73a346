-- [P64] Deletes an invitation code on behalf of an admin. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_revoke_invitation_code(actor_id uuid, login uuid, code_id uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR SHARE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  DELETE FROM "InvitationCode" i WHERE i.id = code_id;
  IF NOT FOUND THEN RETURN 'invitation_code_not_found'; END IF;
  PERFORM parley_log(actor_id, 'revoke_invitation_code', NULL, nowhere, code_id::text, NULL, NULL);
  RETURN NULL;
END $$;
