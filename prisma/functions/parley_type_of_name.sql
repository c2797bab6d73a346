-- [P18] Returns the channel type that a channel's name requires, or null if it requires none.
CREATE OR REPLACE FUNCTION parley_type_of_name(name text) RETURNS "ChannelType" LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN name LIKE 'admin-%' THEN 'admin'::"ChannelType" WHEN name LIKE 'moderator-%' THEN 'moderator' END
$$;
