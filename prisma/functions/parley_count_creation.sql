-- [P58] Counts a channel that the user created. The count belongs to the user, so deleting the channel does not lower it.
CREATE OR REPLACE FUNCTION parley_count_creation(maker uuid, a_minute int) RETURNS void LANGUAGE sql VOLATILE AS $$
  UPDATE "User" u SET "creationsRefilledAt" = greatest(u."creationsRefilledAt", clock_timestamp()) + interval '1 minute' / nullif(a_minute, 0)
  WHERE u.id = maker AND a_minute > 0
$$;
