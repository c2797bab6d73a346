-- [P60] Registers the instance as alive, or extends its lease, until `seconds` from now.
CREATE OR REPLACE FUNCTION parley_renew_lease(instance uuid, seconds double precision) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO "Instance" (id, "expiresAt") VALUES (instance, clock_timestamp() + make_interval(secs => seconds))
    ON CONFLICT (id) DO UPDATE SET "expiresAt" = EXCLUDED."expiresAt"
$$;
