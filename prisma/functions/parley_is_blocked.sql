-- [P48] Says whether the peer of this member of a direct channel blocks them. Call it for direct channels only.
CREATE OR REPLACE FUNCTION parley_is_blocked(channel uuid, member uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM "DirectPeer" p JOIN "UserBlock" b ON b."userId" = p."peerId" AND b."blockedId" = p."userId"
    WHERE p."channelId" = channel AND p."userId" = member)
$$;
