-- [P43] Returns the `seq` up to which a membership without a position of its own counts as read: such a membership is older than the positions.
CREATE OR REPLACE FUNCTION parley_read_start(channel uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT s.seq FROM "ReadStart" s WHERE s."channelId" = channel), 0)
$$;
