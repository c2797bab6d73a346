-- [P47] Returns the other user of a direct channel as JSON, {user_id, username}; null if they are gone altogether.
CREATE OR REPLACE FUNCTION parley_peer(channel uuid, member uuid) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object('user_id', u.id, 'username', u.name)
  FROM "DirectPeer" p JOIN "User" u ON u.id = p."peerId" WHERE p."channelId" = channel AND p."userId" = member
$$;
