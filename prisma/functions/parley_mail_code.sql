-- [P75] [P76] Stores the code of a mail to this address, in place of the one before it of the same kind. Returns false if no enabled account has
-- the address, or if its verification is asked for although it is verified: then no mail is to be sent.
CREATE OR REPLACE FUNCTION parley_mail_code(address text, code_kind "CodeKind", code_hash bytea, lifetime int) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.email = address AND u."disabledAt" IS NULL FOR NO KEY UPDATE;
  IF us.id IS NULL OR (code_kind = 'verification' AND us."emailVerifiedAt" IS NOT NULL) THEN RETURN false; END IF;
  PERFORM parley_store_code(us.id, code_kind, code_hash, lifetime);
  RETURN true;
END $$;
