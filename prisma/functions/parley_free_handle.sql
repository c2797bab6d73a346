-- [P65] Returns a handle for an account with this name that nobody has or had: the name's own one if it is free, otherwise one with a digit
-- at its end, otherwise with some random ones. Only the unique index decides who gets it when two ask at once.
CREATE OR REPLACE FUNCTION parley_free_handle(given_name text) RETURNS text LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  base text := parley_handle_base(given_name);
  chosen text;
  digits text;
BEGIN
  FOR attempt IN 1..17 LOOP
    digits := CASE WHEN attempt = 1 THEN '' WHEN attempt < 10 THEN attempt::text ELSE floor((0.1 + 0.9 * random()) * 10 ^ (attempt - 8))::bigint::text END;
    chosen := left(base, 32 - length(digits)) || digits;
    EXIT WHEN parley_may_be_handle(chosen) AND NOT EXISTS (SELECT FROM "User" u WHERE u.handle = chosen) AND NOT parley_is_former_handle(chosen, NULL);
  END LOOP;
  RETURN chosen;
END $$;
