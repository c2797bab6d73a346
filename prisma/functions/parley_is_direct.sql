-- [P47] Says whether this is a channel of two people. Its type is compared as text, because not every release has it.
CREATE OR REPLACE FUNCTION parley_is_direct(ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT ch."channelType"::text = 'direct'
$$;
