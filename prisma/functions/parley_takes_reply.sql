-- [P39] Returns one row if a message of the channel may reply to `target`, else no row: it is a message of the same channel that is not deleted.
-- The function returns a set, which PostgreSQL inlines into the calling statement.
DROP FUNCTION IF EXISTS parley_takes_reply(uuid, uuid);
CREATE OR REPLACE FUNCTION parley_takes_reply(channel uuid, target uuid) RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true FROM "Message" m WHERE m.id = target AND m."channelId" = channel AND m."deletedAt" IS NULL
$$;
