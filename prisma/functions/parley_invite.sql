-- [P57] Invites `target` to a channel. `effect` false: nothing changed, because they are a member or invited already, or because of
-- `code`. For parley_moderate, which holds the locks of the target and the channel. `max_pending`: invitations one user may have;
-- `a_minute`: invitations that reach one user; 0 is no limit.
CREATE OR REPLACE FUNCTION parley_invite(channel uuid, inviter uuid, target uuid, max_pending int, a_minute int, OUT code text, OUT effect boolean,
  OUT retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  at timestamptz := date_trunc('milliseconds', clock_timestamp());
  old "ChannelInvite";
  free_at timestamptz;
BEGIN
  effect := false;
  SELECT * INTO old FROM "ChannelInvite" i WHERE i."channelId" = channel AND i."userId" = target;
  IF EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = channel AND m."userId" = target)
    OR (old."userId" IS NOT NULL AND old."declinedAt" IS NULL) THEN RETURN; END IF;

  -- The moderation log remembers invitations that a kick, a refusal or the channel's end has removed since.
  free_at := greatest(
    old."declinedAt" + interval '1 day',
    (SELECT l."createdAt" + interval '1 minute' FROM "ModerationLog" l
      WHERE l."targetId" = target AND l."createdAt" > at - interval '1 minute' AND l.action = 'invite_user' AND a_minute > 0
      ORDER BY l."createdAt" DESC OFFSET greatest(a_minute - 1, 0) LIMIT 1),
    CASE WHEN max_pending > 0 AND (SELECT count(*) FROM "ChannelInvite" i WHERE i."userId" = target AND i."declinedAt" IS NULL) >= max_pending
      THEN at + interval '1 minute' END);
  IF free_at > at THEN
    code := 'rate_limited';
    retry_after_ms := ceil(extract(epoch FROM free_at - at) * 1000)::bigint;
    RETURN;
  END IF;

  INSERT INTO "ChannelInvite" ("channelId", "userId", "invitedBy", "createdAt") VALUES (channel, target, inviter, at)
    ON CONFLICT ("channelId", "userId") DO UPDATE
    SET "invitedBy" = EXCLUDED."invitedBy", "createdAt" = EXCLUDED."createdAt", "declinedAt" = NULL;
  effect := true;
END $$;
