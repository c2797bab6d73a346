-- [P16] Stores a guest of this instance. Other instances end the guests of an instance without a valid lease. So the lease is renewed
-- first if less than half of it is left: after a long pause of this process, another instance may already have removed it.
CREATE OR REPLACE FUNCTION parley_admit_guest(guest uuid, guest_name text, instance uuid, seconds double precision) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM "Instance" i WHERE i.id = instance AND i."expiresAt" > clock_timestamp() + make_interval(secs => seconds / 2)) THEN
    PERFORM parley_renew_lease(instance, seconds);
  END IF;
  INSERT INTO "User" (id, name, "instanceId") VALUES (guest, guest_name, instance);
END $$;
