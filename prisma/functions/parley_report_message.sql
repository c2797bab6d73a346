-- [P49] Reports a message, of which the report keeps a copy. A member of the channel who is not banned may report messages of others.
-- While a report of the user on this message is open, nothing is stored, `report` is that report and `told` is null. `a_minute` is the number
-- of reports that a user may make per minute; 0 means no limit. `told` has up to `most_told` users who may settle the new report: those whom
-- the channel has first, then admins, and never the message's author.
-- Both users are locked: so the limit holds exactly, and an erased author's text does not come back through a report that began before.
-- The channel is not locked, because a report changes nothing in it: a message that is deleted at the same moment is either found or not.
CREATE OR REPLACE FUNCTION parley_report_message(user_id uuid, login uuid, channel_name text, message_id uuid, why text, new_id uuid,
  a_minute int, most_told int)
RETURNS TABLE (code text, report "Report", told uuid[], retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  us "User";
  ch "Channel";
  msg "Message";
  at timestamptz;
  oldest timestamptz;
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (user_id, (SELECT m."userId" FROM "Message" m WHERE m.id = message_id)) ORDER BY u.id FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  us := parley_actor(user_id, login);
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  SELECT * INTO msg FROM "Message" m WHERE m.id = message_id AND m."channelId" = ch.id AND m."deletedAt" IS NULL;
  SELECT * INTO report FROM "Report" r
    WHERE r."reporterId" = us.id AND r."messageId" = message_id AND r."channelId" = ch.id AND r."settledAt" IS NULL;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN us.email IS NULL OR NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
    WHEN msg.id IS NULL AND report.id IS NULL THEN 'message_not_found'
    WHEN msg."userId" = us.id THEN 'not_authorized'
    WHEN EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = us.id AND (b."expiresAt" IS NULL OR b."expiresAt" > at)) THEN 'banned'
    WHEN NOT EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id) THEN 'not_in_channel'
  END;
  IF code IS NOT NULL OR report.id IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  -- The report that has to be a minute old before the next one fits.
  oldest := (SELECT r."createdAt" FROM "Report" r WHERE r."reporterId" = us.id AND r."createdAt" > at - interval '1 minute' AND a_minute > 0
    ORDER BY r."createdAt" DESC OFFSET greatest(a_minute - 1, 0) LIMIT 1);
  IF oldest IS NOT NULL THEN
    code := 'rate_limited';
    retry_after_ms := least(60000, greatest(1, ceil(extract(epoch FROM oldest + interval '1 minute' - at) * 1000)));
    RETURN NEXT; RETURN;
  END IF;
  INSERT INTO "Report" (id, "channelId", "channelName", "messageId", seq, "authorId", content, data, "sentAt", "reporterId", reason, "createdAt")
    VALUES (new_id, ch.id, ch.name, msg.id, msg.seq, msg."userId", msg.content, nullif(msg.data, 'null'), msg."createdAt", us.id, why, at)
    RETURNING "Report".* INTO report;
  told := ARRAY(
    SELECT u.id FROM "User" u
    WHERE u.id = ANY (ARRAY(
        SELECT a.id FROM "User" a WHERE a.role = 'admin'
        UNION SELECT a.id FROM "User" a WHERE a.role = 'moderator' AND ch."channelType" = 'moderator'
        UNION SELECT x."userId" FROM "ChannelModerator" x WHERE x."channelId" = ch.id))
      AND u.id <> msg."userId" AND u."disabledAt" IS NULL
      AND (parley_judges_reports(u, ch) OR (parley_is_direct(ch) AND u.role = 'admin'))
    ORDER BY u.role = 'admin', u.id LIMIT most_told);
  RETURN NEXT;
END $$;
