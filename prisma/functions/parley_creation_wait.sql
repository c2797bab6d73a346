-- [P58] Milliseconds until this user may make another channel; 0: now. `a_minute`: how many a minute allows, at once too; 0 is no limit.
CREATE OR REPLACE FUNCTION parley_creation_wait(us "User", a_minute int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  -- Rounded: what a sum of fractions is off by must refuse nothing.
  SELECT greatest(0, round(1000 * extract(epoch FROM greatest(us."creationsRefilledAt" - clock_timestamp(), interval '0')
    + interval '1 minute' / nullif(a_minute, 0) - interval '1 minute')))::bigint
$$;
