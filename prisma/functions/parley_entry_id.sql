-- [P37] Returns the id of a channel's entry with this `seq`: a message's id, also for an edit or a deletion of the message or a
-- reaction to it. Null where the channel has no such entry. The function returns a set of one row, which PostgreSQL
-- inlines into the calling statement.
DROP FUNCTION IF EXISTS parley_entry_id(uuid, bigint);
CREATE OR REPLACE FUNCTION parley_entry_id(channel uuid, at bigint) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT m.id FROM "Message" m WHERE m."channelId" = channel AND m.seq = at),
    (SELECT x."messageId" FROM "MessageChange" x WHERE x."channelId" = channel AND x.seq = at),
    (SELECT r."messageId" FROM "Reaction" r WHERE r."channelId" = channel AND r.seq = at))
$$;
