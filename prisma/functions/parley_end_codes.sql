-- [P75] Trigger on "User": ends a user's codes when their password, their address or whether they are disabled changes. Only a new password leaves
-- the code that verifies the address. A new address is not verified.
CREATE OR REPLACE FUNCTION parley_end_codes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.email IS DISTINCT FROM OLD.email THEN
    NEW."emailVerifiedAt" := NULL;
  END IF;
  DELETE FROM "AccountCode" a WHERE a."userId" = NEW.id
    AND (a.kind <> 'verification' OR (NEW.email, NEW."disabledAt") IS DISTINCT FROM (OLD.email, OLD."disabledAt"));
  RETURN NEW;
END $$;
