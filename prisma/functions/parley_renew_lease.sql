-- [P60] The instance is alive, and counts as alive for so many seconds more.
CREATE OR REPLACE FUNCTION parley_renew_lease(instance uuid, seconds double precision) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO "Instance" (id, "expiresAt") VALUES (instance, clock_timestamp() + make_interval(secs => seconds))
    ON CONFLICT (id) DO UPDATE SET "expiresAt" = EXCLUDED."expiresAt"
$$;
