-- [P19] Does the channel exist for this user? A guest (no email) sees no private one. Never null: callers ask NOT.
CREATE OR REPLACE FUNCTION parley_sees(u "User", c "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT c."channelType" <> 'private' OR u.role = 'admin' OR (u.email IS NOT NULL AND (
    coalesce(c."createdBy" = u.id, false)
    OR EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = c.id AND m."userId" = u.id)
    OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = c.id AND i."userId" = u.id)))
$$;
