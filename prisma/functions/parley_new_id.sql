-- Returns a new UUIDv7. PostgreSQL has a function for it only since version 18.
CREATE OR REPLACE FUNCTION parley_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  -- The time replaces the first 48 of the random bits, and two further bits make version 4 a version 7.
  SELECT encode(set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
$$;
