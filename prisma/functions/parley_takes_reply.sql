-- [P39] Says whether a message of the channel may reply to `target`: it is a message of the same channel that is not deleted.
CREATE OR REPLACE FUNCTION parley_takes_reply(channel uuid, target uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM "Message" m WHERE m.id = target AND m."channelId" = channel AND m."deletedAt" IS NULL)
$$;
