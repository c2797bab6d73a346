-- [P57] Deletes the user's invitation to a channel. Returns null for success, also if there was no invitation; otherwise an error code.
CREATE OR REPLACE FUNCTION parley_decline_invitation(user_id uuid, channel_name text, login uuid) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  IF us.id IS NULL THEN RETURN 'authentication_failed'; END IF;
  IF ch.id IS NULL OR NOT parley_sees(us, ch) THEN RETURN 'channel_not_found'; END IF;
  IF us.email IS NULL THEN RETURN 'not_authorized'; END IF;
  DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = us.id;
  RETURN NULL;
END $$;
