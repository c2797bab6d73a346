-- [P75] [P76] Takes a code: returns it and deletes it, if it has not expired and its user is enabled. All fields are null otherwise. The lock on the
-- user makes it wait for others who take the code, and for what ends codes (parley_end_codes): it then finds nothing.
CREATE OR REPLACE FUNCTION parley_take_code(wanted_hash bytea, kinds "CodeKind"[]) RETURNS "AccountCode" LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  taken "AccountCode";
BEGIN
  PERFORM FROM "User" u WHERE u.id = (SELECT a."userId" FROM "AccountCode" a WHERE a."codeHash" = wanted_hash) FOR NO KEY UPDATE;
  DELETE FROM "AccountCode" a USING "User" u
    WHERE a."codeHash" = wanted_hash AND a.kind = ANY (kinds) AND a."expiresAt" > clock_timestamp()
      AND u.id = a."userId" AND u.email IS NOT NULL AND u."disabledAt" IS NULL
    RETURNING a.* INTO taken;
  RETURN taken;
END $$;
