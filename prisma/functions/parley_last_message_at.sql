-- [P44] Returns the time of a channel's newest message. `stored` is its `lastMessageAt`, which is null for a channel that has had no message since
-- the column was added.
CREATE OR REPLACE FUNCTION parley_last_message_at(channel uuid, stored timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce(stored, (SELECT m."createdAt" FROM "Message" m WHERE m."channelId" = channel ORDER BY m.seq DESC LIMIT 1))
$$;
