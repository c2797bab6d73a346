-- [P47] Returns the other user of a direct channel as JSON, {user_id, username, handle}; null if they are gone altogether.
CREATE OR REPLACE FUNCTION parley_peer(channel uuid, member uuid) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('user_id', u.id, 'username', u.name, 'handle', u.handle)
  FROM "DirectPeer" p JOIN "User" u ON u.id = p."peerId" WHERE p."channelId" = channel AND p."userId" = member
$$;
