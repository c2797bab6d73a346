-- Says whether the user may moderate the channel: admins, moderators of this channel, and, if its type is `moderator`, users with that
-- role may. Except for admins, the role has to fit the channel's type [P15] and no ban may be in force [P55]. Guests never may [P16]. Nobody moderates a direct channel [P47].
-- It is PL/pgSQL, which keeps its plan: PostgreSQL would plan a function in SQL anew for each join of a batch.
CREATE OR REPLACE FUNCTION parley_can_moderate(us "User", ch "Channel") RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN ch."channelType" <> 'direct' AND (us.role = 'admin' OR (us.email IS NOT NULL AND parley_role_fits(us.role, ch."channelType") AND (
    (us.role = 'moderator' AND ch."channelType" = 'moderator')
    OR EXISTS (SELECT FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = us.id))
    AND NOT EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = us.id
      AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp()))));
END $$;
