-- Deletes up to `most` tokens that expired more than `grace` seconds (the lifetime of an access token) ago and returns their number. A
-- revoked token stays as long as its login has newer tokens, which count as revoked because of it. The settings make PostgreSQL read in
-- index order: without them, a planner without statistics (a new embedded database has none) sorts all expired tokens at each call.
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
