-- [P57] Invites `target` to a channel. `effect` is false if nothing changed, because the target is already a member or invited, or because
-- of `code`. For parley_moderate, which has locked the target and the channel. `max_pending` limits the pending invitations of one user,
-- and `a_minute` the invitations that one user may get per minute. One inviter may use a quarter of either. 0 means no limit.
-- An invitation of an inviter whom the target blocks is not delivered [P48]. It takes no room from others, and theirs replace it.
CREATE OR REPLACE FUNCTION parley_invite(channel uuid, inviter uuid, target uuid, max_pending int, a_minute int, OUT code text, OUT effect boolean,
  OUT retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  at timestamptz := date_trunc('milliseconds', clock_timestamp());
  free_at timestamptz;
BEGIN
  effect := false;
  IF EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = channel AND m."userId" = target)
    OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = channel AND i."userId" = target
      AND (NOT parley_blocks(target, i."invitedBy") OR parley_blocks(target, inviter))) THEN RETURN; END IF;

  IF max_pending > 0 AND (
    SELECT count(*) FILTER (WHERE NOT parley_blocks(target, i."invitedBy")) >= max_pending OR count(*) FILTER (WHERE i."invitedBy" = inviter) >= ceil(max_pending / 4.0)
    FROM "ChannelInvite" i WHERE i."userId" = target) THEN
    code := 'too_many_invitations';
    RETURN;
  END IF;

  IF a_minute > 0 THEN
    -- The moderation log also has the invitations that were used, declined or withdrawn since. At most `a_minute` of its lines are read.
    WITH recent AS MATERIALIZED (
      SELECT l."actorId", l."createdAt" + interval '1 minute' AS over_at FROM "ModerationLog" l
      WHERE l."targetId" = target AND l.action = 'invite_user' AND l."createdAt" > at - interval '1 minute'
        AND (l."actorId" = inviter OR NOT parley_blocks(target, l."actorId"))
      ORDER BY l."createdAt" DESC LIMIT a_minute
    )
    SELECT greatest(
      (SELECT r.over_at FROM recent r ORDER BY r.over_at DESC OFFSET a_minute - 1 LIMIT 1),
      (SELECT r.over_at FROM recent r WHERE r."actorId" = inviter ORDER BY r.over_at DESC OFFSET ceil(a_minute / 4.0)::int - 1 LIMIT 1)
    ) INTO free_at;
  END IF;
  IF free_at > at THEN
    code := 'rate_limited';
    retry_after_ms := ceil(extract(epoch FROM free_at - at) * 1000)::bigint;
    RETURN;
  END IF;

  INSERT INTO "ChannelInvite" ("channelId", "userId", "invitedBy", "createdAt") VALUES (channel, target, inviter, at)
    ON CONFLICT ("channelId", "userId") DO UPDATE SET "invitedBy" = EXCLUDED."invitedBy", "createdAt" = EXCLUDED."createdAt";
  effect := true;
END $$;
