-- [P65] Returns a handle for an account with this name that nobody has or had: the name's own one if it is free, otherwise one with a digit
-- at its end, otherwise with some random ones. Only the unique index decides who gets it when two ask at once.
CREATE OR REPLACE FUNCTION parley_free_handle(given_name text) RETURNS text LANGUAGE sql VOLATILE AS $$
  WITH suggested AS (SELECT parley_handle_base(given_name) AS base), candidates (handle, place) AS (
    SELECT s.base, 0 FROM suggested s
    UNION ALL SELECT left(s.base, 31) || n, n FROM suggested s, generate_series(2, 9) n
    UNION ALL SELECT left(s.base, 32 - n) || floor((0.1 + 0.9 * random()) * 10 ^ n)::int, 10 + n FROM suggested s, generate_series(2, 9) n
  )
  SELECT c.handle FROM candidates c
  WHERE parley_may_be_handle(c.handle) AND NOT parley_is_former_handle(c.handle, NULL)
    AND NOT EXISTS (SELECT FROM "User" u WHERE u.handle = c.handle)
  ORDER BY c.place LIMIT 1
$$;
