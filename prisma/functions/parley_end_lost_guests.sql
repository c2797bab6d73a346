-- [P60] Ends up to `most` guests of one instance whose lease has run out, or takes the instance off the list where it has none left.
-- False where every instance is alive, or another one is clearing up the rest.
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
