-- Returns the channels of a type, in order of name, after a name. The settings make the planner walk along the index until it has enough: in a
-- table that was not analysed yet, it expects few channels of the type, and would read and sort all of them.
CREATE OR REPLACE FUNCTION parley_list_channels(wanted "ChannelType", after_name text, most int) RETURNS SETOF "Channel" LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
  RETURN QUERY SELECT * FROM "Channel" x WHERE x."channelType" = wanted AND x.name > after_name ORDER BY x.name LIMIT most;
END $$;
