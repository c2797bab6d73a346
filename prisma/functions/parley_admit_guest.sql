-- [P16] Makes a guest of this instance. The guest must not outlive the instance unnoticed, so the instance has a lease, and not one
-- that is about to run out: after a long pause of the whole process the others may have taken it away.
CREATE OR REPLACE FUNCTION parley_admit_guest(guest uuid, guest_name text, instance uuid, seconds double precision) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM "Instance" i WHERE i.id = instance AND i."expiresAt" > clock_timestamp() + make_interval(secs => seconds / 2)) THEN
    PERFORM parley_renew_lease(instance, seconds);
  END IF;
  INSERT INTO "User" (id, name, "instanceId") VALUES (guest, guest_name, instance);
END $$;
