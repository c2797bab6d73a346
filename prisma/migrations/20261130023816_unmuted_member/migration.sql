-- Applies one act of moderation to a user in a channel: invite_user, kick_user, ban_user, unban_user, mute_user, unmute_user,
-- add_moderator or remove_moderator. `duration` is in seconds; null means without end (bans only).
-- `effect` is false if there was nothing to do. `ended` says that a membership ended, which raises the channel's aclVersion.
-- `tell` says that the target has to be told [P57]: they are a member, are invited, or were told of the ban or mute that ends now.
DROP FUNCTION IF EXISTS parley_moderate(uuid, text, text, uuid, text, int, uuid);
CREATE OR REPLACE FUNCTION parley_moderate(actor_id uuid, act text, channel_name text, target_id uuid, why text, duration int, log_id uuid,
  max_invitations int DEFAULT 0, invitations_a_minute int DEFAULT 0, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_type text, acl_version bigint, expires_at timestamptz, effect boolean, ended boolean,
  tell boolean, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  target "User";
  ch "Channel";
  at timestamptz;
  is_banned boolean;
  is_hidden boolean;
  times_told int;
BEGIN
  IF act = 'invite_user' THEN
    -- The stronger lock makes concurrent invitations to one user wait for each other, so that the limits hold exactly [P57].
    PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  ELSE
    PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR SHARE;
  END IF;
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
  effect := false; ended := false; tell := false;
  channel_id := ch.id; channel_type := ch."channelType"; acl_version := ch."aclVersion";
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  is_banned := EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id AND (b."expiresAt" IS NULL OR b."expiresAt" > at));
  -- [P48] The target blocks the user who invited them, and so is not told of anything that concerns the invitation.
  is_hidden := EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id AND parley_blocks(target.id, i."invitedBy"));
  IF act IN ('ban_user', 'mute_user') THEN expires_at := at + make_interval(secs => duration); END IF;

  IF act = 'invite_user' THEN
    IF is_banned THEN code := 'banned'; RETURN NEXT; RETURN; END IF;
    SELECT r.code, r.effect, r.effect AND NOT parley_blocks(target.id, us.id), r.retry_after_ms INTO code, effect, tell, retry_after_ms
      FROM parley_invite(ch.id, us.id, target.id, max_invitations, invitations_a_minute) r;
  ELSIF act IN ('kick_user', 'ban_user') THEN
    DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id;
    effect := FOUND;
    SELECT r.acl_version, r.ended INTO acl_version, ended FROM parley_end_membership(ch.id, target.id) r;
    tell := (effect AND NOT is_hidden) OR ended;
    DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
    effect := effect OR ended OR FOUND;
    IF act = 'ban_user' THEN
      -- A user who was told of a ban is also told of the next two bans that replace it, so that they know when it ends.
      times_told := CASE WHEN tell THEN 0
        ELSE coalesce((SELECT b.told FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id), 0) END;
      tell := tell OR times_told BETWEEN 1 AND 2;
      INSERT INTO "ChannelBan" ("channelId", "userId", reason, "bannedBy", told, "expiresAt", "createdAt")
        VALUES (ch.id, target.id, why, us.id, times_told + tell::int, expires_at, at)
        ON CONFLICT ("channelId", "userId") DO UPDATE SET reason = EXCLUDED.reason, "bannedBy" = EXCLUDED."bannedBy", told = EXCLUDED.told,
          "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
      effect := true;
    END IF;
  ELSIF act = 'unban_user' THEN
    DELETE FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id RETURNING b.told INTO times_told;
    effect := is_banned;
    tell := effect AND times_told > 0;
  ELSIF act = 'mute_user' THEN
    tell := EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = target.id)
      OR (NOT is_hidden AND EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id));
    INSERT INTO "ChannelMute" AS x ("channelId", "userId", "mutedBy", told, "expiresAt", "createdAt")
      VALUES (ch.id, target.id, us.id, tell, expires_at, at)
      ON CONFLICT ("channelId", "userId") DO UPDATE SET "mutedBy" = EXCLUDED."mutedBy", told = EXCLUDED.told OR x.told,
        "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
    effect := true;
  ELSIF act = 'unmute_user' THEN
    WITH gone AS (DELETE FROM "ChannelMute" m WHERE m."channelId" = ch.id AND m."userId" = target.id RETURNING m."expiresAt", m.told)
      SELECT coalesce(bool_or(gone."expiresAt" > at), false), coalesce(bool_or(gone."expiresAt" > at AND gone.told), false) INTO effect, tell FROM gone;
    -- The reply to the join of a member has told them [P20].
    tell := effect AND (tell OR EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = target.id));
  ELSIF act = 'add_moderator' THEN
    INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (ch.id, target.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
  ELSIF act = 'remove_moderator' THEN
    DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
    effect := FOUND;
  END IF;
  -- Instances that the bus does not reach see by the version that they have to read the mutes again [P42].
  IF effect AND act IN ('mute_user', 'unmute_user') THEN
    UPDATE "Channel" c SET "aclVersion" = c."aclVersion" + 1 WHERE c.id = ch.id RETURNING c."aclVersion" INTO acl_version;
  END IF;
  IF effect THEN PERFORM parley_log(us.id, act, target.id, ch, why, expires_at, log_id); END IF;
  RETURN NEXT;
END $$;
