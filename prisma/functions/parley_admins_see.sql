-- Says whether admins may read channels of this type without being members. The type is compared as text, and a type that is not listed is
-- not theirs to read, so that a new type is hidden from them until somebody decides otherwise.
CREATE OR REPLACE FUNCTION parley_admins_see(type "ChannelType") RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT type::text IN ('public', 'private', 'admin', 'moderator')
$$;
