-- One act of one user on another in a channel: invite_user, kick_user, ban_user, unban_user, mute_user, unmute_user,
-- add_moderator, remove_moderator. `duration` in seconds; null: for good (bans only).
-- `effect` false: there was nothing to do. `ended`: a membership ended, and the channel's aclVersion rose.
DROP FUNCTION IF EXISTS parley_moderate(uuid, text, text, uuid, text, int, uuid);
CREATE OR REPLACE FUNCTION parley_moderate(
  actor_id uuid, act text, channel_name text, target_id uuid, why text, duration int, log_id uuid, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_type text, acl_version bigint, expires_at timestamptz, effect boolean, ended boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  target "User";
  ch "Channel";
  at timestamptz;
  is_banned boolean;
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR SHARE;
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  us := parley_actor(actor_id, login);
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND (u."disabledAt" IS NULL OR u.email IS NOT NULL);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN act IN ('add_moderator', 'remove_moderator') AND NOT parley_owns(us, ch) THEN 'not_authorized'
    WHEN act NOT IN ('add_moderator', 'remove_moderator') AND NOT parley_can_moderate(us, ch) THEN 'not_authorized'
    WHEN target.id IS NULL THEN 'user_not_found'
    WHEN act IN ('kick_user', 'ban_user', 'unban_user', 'mute_user', 'unmute_user') AND NOT parley_outranks(us, target, ch) THEN 'not_authorized'
  END;
  effect := false; ended := false;
  channel_id := ch.id; channel_type := ch."channelType"; acl_version := ch."aclVersion";
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  is_banned := EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id AND (b."expiresAt" IS NULL OR b."expiresAt" > at));
  IF act IN ('ban_user', 'mute_user') THEN expires_at := at + make_interval(secs => duration); END IF;

  IF act = 'invite_user' THEN
    IF is_banned THEN code := 'banned'; RETURN NEXT; RETURN; END IF;
    INSERT INTO "ChannelInvite" ("channelId", "userId", "invitedBy") SELECT ch.id, target.id, us.id
      WHERE NOT EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = target.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
  ELSIF act IN ('kick_user', 'ban_user') THEN
    DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id;
    effect := FOUND;
    SELECT r.acl_version, r.ended INTO acl_version, ended FROM parley_end_membership(ch.id, target.id) r;
    effect := effect OR ended;
    IF act = 'ban_user' THEN
      DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
      INSERT INTO "ChannelBan" ("channelId", "userId", reason, "bannedBy", "expiresAt", "createdAt") VALUES (ch.id, target.id, why, us.id, expires_at, at)
        ON CONFLICT ("channelId", "userId") DO UPDATE
        SET reason = EXCLUDED.reason, "bannedBy" = EXCLUDED."bannedBy", "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
      effect := true;
    END IF;
  ELSIF act = 'unban_user' THEN
    DELETE FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id;
    effect := is_banned;
  ELSIF act = 'mute_user' THEN
    INSERT INTO "ChannelMute" ("channelId", "userId", "mutedBy", "expiresAt", "createdAt") VALUES (ch.id, target.id, us.id, expires_at, at)
      ON CONFLICT ("channelId", "userId") DO UPDATE
      SET "mutedBy" = EXCLUDED."mutedBy", "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
    effect := true;
  ELSIF act = 'unmute_user' THEN
    WITH gone AS (DELETE FROM "ChannelMute" m WHERE m."channelId" = ch.id AND m."userId" = target.id RETURNING m."expiresAt")
      SELECT coalesce(bool_or(gone."expiresAt" > at), false) INTO effect FROM gone;
  ELSIF act = 'add_moderator' THEN
    INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (ch.id, target.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
  ELSIF act = 'remove_moderator' THEN
    DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
    effect := FOUND;
  END IF;
  IF effect THEN PERFORM parley_log(us.id, act, target.id, ch, why, expires_at, log_id); END IF;
  RETURN NEXT;
END $$;
