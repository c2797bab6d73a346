-- [P65] Says whether another user than `taker` had this handle before. It stays theirs, so that nobody can pass for them.
CREATE OR REPLACE FUNCTION parley_is_former_handle(given text, taker uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM "FormerHandle" f WHERE f.hash = sha256(convert_to(given, 'UTF8')) AND f."userId" IS DISTINCT FROM taker)
$$;
