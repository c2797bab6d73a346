-- [P58] Returns the milliseconds until this user may create another channel; 0 means now. `a_minute` is the number of channels that a user
-- may create per minute, all at once if they like; 0 means no limit.
CREATE OR REPLACE FUNCTION parley_creation_wait(us "User", a_minute int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  -- The result is rounded, because the inaccuracy of adding fractions must not refuse a channel.
  SELECT greatest(0, round(1000 * extract(epoch FROM greatest(us."creationsRefilledAt" - clock_timestamp(), interval '0')
    + interval '1 minute' / nullif(a_minute, 0) - interval '1 minute')))::bigint
$$;
