-- Deletes up to `most` tokens that expired more than `grace` seconds (an access token's lifetime) ago, and returns how many. A revoked
-- one stays while its login has others, which are known as revoked by it. In order of the index: without the settings, a planner that
-- knows nothing of the table (nobody analyses the embedded database) reads and sorts all expired tokens for each round.
CREATE OR REPLACE FUNCTION parley_purge_logins(grace int, most int) RETURNS int LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  cutoff timestamptz := clock_timestamp() - make_interval(secs => grace);
  purged int;
BEGIN
  DELETE FROM "RefreshToken" t WHERE t.id = ANY (ARRAY(
    SELECT o.id FROM "RefreshToken" o
    WHERE o."expiresAt" < cutoff AND (o."revokedAt" IS NULL
      OR (SELECT true FROM "RefreshToken" s WHERE s."familyId" = o."familyId" AND s."expiresAt" >= cutoff LIMIT 1) IS NULL)
    ORDER BY o."expiresAt" LIMIT most));
  GET DIAGNOSTICS purged = ROW_COUNT;
  RETURN purged;
END $$;
