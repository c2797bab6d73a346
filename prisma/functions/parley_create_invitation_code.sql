-- [P64] Stores an admin's new invitation code for `uses` registrations within `lifetime` seconds. Returns null or an error code.
CREATE OR REPLACE FUNCTION parley_create_invitation_code(actor_id uuid, login uuid, new_id uuid, code_hash bytea, uses int, lifetime int,
  channel_names text[]) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
  ids uuid[];
BEGIN
  PERFORM FROM "User" u WHERE u.id = actor_id FOR SHARE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  ids := ARRAY(SELECT c.id FROM "Channel" c WHERE c.name = ANY (channel_names) AND c."channelType" <> 'direct');
  IF cardinality(ids) < cardinality(channel_names) THEN RETURN 'channel_not_found'; END IF;
  -- New users have the role user.
  IF EXISTS (SELECT FROM "Channel" c WHERE c.id = ANY (ids) AND NOT parley_role_fits('user', c."channelType")) THEN RETURN 'invalid_channel_type'; END IF;
  INSERT INTO "InvitationCode" (id, "codeHash", uses, "usesLeft", "expiresAt", "channelIds", "createdBy", "createdAt")
    VALUES (new_id, code_hash, uses, uses, clock_timestamp() + make_interval(secs => lifetime), ids, actor_id, clock_timestamp());
  PERFORM parley_log(actor_id, 'create_invitation_code', NULL, nowhere, new_id::text, NULL, NULL);
  RETURN NULL;
END $$;
