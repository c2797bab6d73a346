-- [P65] Returns the handle that a name suggests, whether it is free, long enough and allowed or not.
CREATE OR REPLACE FUNCTION parley_handle_base(given_name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(nullif(rtrim(left(btrim(regexp_replace(parley_plain(given_name), '[^a-z0-9]+', '_', 'g'), '_'), 32), '_'), ''), 'user')
$$;
