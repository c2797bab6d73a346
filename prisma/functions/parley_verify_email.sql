-- [P76] Marks the address of a code's user as verified. Returns false if the code cannot be used.
CREATE OR REPLACE FUNCTION parley_verify_email(code_hash bytea) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  taken "AccountCode";
BEGIN
  taken := parley_take_code(code_hash, '{verification}');
  UPDATE "User" u SET "emailVerifiedAt" = coalesce(u."emailVerifiedAt", clock_timestamp()) WHERE u.id = taken."userId";
  RETURN taken."userId" IS NOT NULL;
END $$;
