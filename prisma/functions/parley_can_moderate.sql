-- An admin, a moderator of this channel, or a moderator by role in a channel of that type: as long as his role lets him be
-- in the channel at all [P15], and never a guest [P16].
CREATE OR REPLACE FUNCTION parley_can_moderate(us "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT us.role = 'admin' OR (us.email IS NOT NULL AND parley_role_fits(us.role, ch."channelType") AND (
    (us.role = 'moderator' AND ch."channelType" = 'moderator')
    OR EXISTS (SELECT FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = us.id)))
$$;
