-- Ends all logins of a user except the `spared` most recently used ones. The caller has locked the user `FOR NO KEY UPDATE`. Up to 1000
-- logins end by a mark on their refresh tokens, and their ids are returned, so that their connections can be closed at once. If there may be
-- more, the mark `loginsEndedUpTo` on the user ends the rest without touching their rows; instances find those connections by themselves.
CREATE OR REPLACE FUNCTION parley_end_logins(target_id uuid, spared int) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  most CONSTANT int := 1000;
  us "User";
  newest "RefreshToken";
  ended int;
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = target_id;
  SELECT * INTO newest FROM "RefreshToken" t
    WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL
      AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId"))
    ORDER BY t."createdAt" DESC, t.id DESC OFFSET spared LIMIT 1;
  IF newest.id IS NULL THEN RETURN; END IF;
  RETURN QUERY
    UPDATE "RefreshToken" r SET "revokedAt" = clock_timestamp(), device = NULL, network = NULL WHERE r.id IN (
      SELECT t.id FROM "RefreshToken" t
      WHERE t."userId" = us.id AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND (t."createdAt", t.id) <= (newest."createdAt", newest.id)
        AND (us."loginsEndedUpTo" IS NULL OR (t."createdAt", t.id) > (us."loginsEndedUpTo", us."loginsEndedUpToId"))
      ORDER BY t."createdAt" DESC, t.id DESC LIMIT most)
    RETURNING r."familyId";
  GET DIAGNOSTICS ended = ROW_COUNT;
  IF ended = most THEN
    UPDATE "User" u SET "loginsEndedUpTo" = newest."createdAt", "loginsEndedUpToId" = newest.id WHERE u.id = us.id;
  END IF;
END $$;
