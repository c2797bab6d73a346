-- [P49] Returns up to `most` reports with an id before `before`, or from the start if that is null, the newest first. `channel_name` names the
-- channel whose reports its moderators read, without those of their own messages; null means all reports, for admins. `is_open` is null for
-- open and settled ones. If the user may not read them, the only row has the code of the refusal.
-- The settings make PostgreSQL read in the order of the indexes, so that it reads few rows however many reports there are.
CREATE OR REPLACE FUNCTION parley_list_reports(user_id uuid, login uuid, channel_name text, is_open boolean, before uuid, most int)
RETURNS TABLE (code text, report "Report") LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
  us "User" := parley_actor(user_id, login);
  ch "Channel";
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN channel_name IS NULL THEN CASE WHEN us.role <> 'admin' THEN 'not_authorized' END
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN NOT parley_judges_reports(us, ch) THEN 'not_authorized'
  END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  -- Each form of the statement has conditions that one index serves.
  RETURN QUERY EXECUTE 'SELECT NULL::text, r FROM "Report" r WHERE r.id < $1'
    || CASE WHEN ch.id IS NOT NULL THEN ' AND r."channelId" = $2 AND r."authorId" <> $3' ELSE '' END
    || CASE is_open WHEN true THEN ' AND r."settledAt" IS NULL' WHEN false THEN ' AND r."settledAt" IS NOT NULL' ELSE '' END
    || ' ORDER BY r.id DESC LIMIT $4'
    USING coalesce(before, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), ch.id, us.id, most;
END $$;
