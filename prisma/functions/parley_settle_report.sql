-- [P49] Settles a report. `channel_name` names the channel that its moderator settles it in; null means that an admin settles any report. The
-- first resolution stays: the same one again succeeds without effect, another one is refused. Nobody settles a report of their own message.
-- Returns the report as it is then, or a code that refuses.
CREATE OR REPLACE FUNCTION parley_settle_report(user_id uuid, login uuid, channel_name text, report_id uuid, new_resolution "ReportResolution")
RETURNS TABLE (code text, report "Report") LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
  old "Report";
BEGIN
  -- Whatever takes the right from the user locks them too, so a settlement commits either before it or not at all.
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  SELECT * INTO old FROM "Report" r WHERE r.id = report_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN channel_name IS NULL THEN CASE
      WHEN us.role <> 'admin' THEN 'not_authorized'
      WHEN old.id IS NULL THEN 'report_not_found'
      WHEN old."authorId" = us.id THEN 'not_authorized'
    END
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN NOT parley_judges_reports(us, ch) THEN 'not_authorized'
    -- A moderator does not learn of reports of their own messages.
    WHEN old.id IS NULL OR old."channelId" <> ch.id OR old."authorId" = us.id THEN 'report_not_found'
  END;
  IF code IS NULL AND old.resolution <> new_resolution THEN code := 'report_settled'; END IF;
  report := old;
  IF code IS NULL AND old.resolution IS NULL THEN
    UPDATE "Report" r SET resolution = new_resolution, "settledBy" = us.id, "settledAt" = clock_timestamp() WHERE r.id = old.id RETURNING r.* INTO report;
    ch.id := old."channelId"; ch.name := old."channelName";
    PERFORM parley_log(us.id, 'settle_report_' || new_resolution, old."authorId", ch, old.id::text, NULL, NULL);
  END IF;
  RETURN NEXT;
END $$;
