-- [P47] Returns the name of the direct channel of two users: the same for both of them, whoever asks.
CREATE OR REPLACE FUNCTION parley_direct_name(one uuid, other uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'direct-' || left(encode(sha256(uuid_send(least(one, other)) || uuid_send(greatest(one, other))), 'hex'), 32)
$$;
