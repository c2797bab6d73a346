-- [P18] Says whether a user of this role may be in a channel of this type.
CREATE OR REPLACE FUNCTION parley_role_fits(role "Role", channel_type "ChannelType") RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE channel_type WHEN 'admin' THEN role = 'admin' WHEN 'moderator' THEN role <> 'user' ELSE true END
$$;
