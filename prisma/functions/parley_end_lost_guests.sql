-- [P60] Takes one instance whose lease has expired and ends up to `most` of its guests, or deletes the instance's row if it has no guests
-- left. Returns false if no lease has expired, or if other instances are already cleaning up after the expired ones.
CREATE OR REPLACE FUNCTION parley_end_lost_guests(most int) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  dead uuid;
  guests uuid[];
BEGIN
  SELECT i.id INTO dead FROM "Instance" i WHERE i."expiresAt" < clock_timestamp() ORDER BY i."expiresAt" LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF dead IS NULL THEN RETURN false; END IF;
  guests := ARRAY(SELECT u.id FROM "User" u WHERE u."instanceId" = dead AND u."disabledAt" IS NULL LIMIT most);
  IF cardinality(guests) = 0 THEN
    DELETE FROM "Instance" i WHERE i.id = dead;
  ELSE
    PERFORM parley_end_guests(guests);
  END IF;
  RETURN true;
END $$;
