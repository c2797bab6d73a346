-- [P19] Says whether the channel is visible to this user. Guests (users without email) see no private channel. Only members see a direct
-- channel, and no admin [P47]. The result is never null, because callers negate it.
-- It is PL/pgSQL, which keeps its plan: PostgreSQL would plan a function in SQL anew for each join of a batch.
CREATE OR REPLACE FUNCTION parley_sees(u "User", c "Channel") RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN c."channelType" NOT IN ('private', 'direct') OR (u.role = 'admin' AND c."channelType" <> 'direct') OR (u.email IS NOT NULL AND (
    coalesce(c."createdBy" = u.id, false)
    OR EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = c.id AND m."userId" = u.id)
    OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = c.id AND i."userId" = u.id)));
END $$;
