-- CreateEnum
CREATE TYPE "ReportResolution" AS ENUM ('dismissed', 'removed', 'sanctioned');

-- CreateTable
CREATE TABLE "Report" (
    "id" UUID NOT NULL,
    "channelId" UUID NOT NULL,
    "channelName" TEXT NOT NULL,
    "messageId" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "authorId" UUID NOT NULL,
    "content" TEXT,
    "data" TEXT,
    "sentAt" TIMESTAMPTZ(3) NOT NULL,
    "reporterId" UUID NOT NULL,
    "reason" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "resolution" "ReportResolution",
    "settledBy" UUID,
    "settledAt" TIMESTAMPTZ(3),

    CONSTRAINT "Report_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Report_channelId_id_idx" ON "Report"("channelId", "id");

-- CreateIndex
CREATE INDEX "Report_channelId_open_idx" ON "Report"("channelId", "id") WHERE ("settledAt" IS NULL);

-- CreateIndex
CREATE INDEX "Report_open_idx" ON "Report"("id") WHERE ("settledAt" IS NULL);

-- CreateIndex
CREATE INDEX "Report_reporterId_createdAt_idx" ON "Report"("reporterId", "createdAt");

-- CreateIndex
CREATE INDEX "Report_authorId_idx" ON "Report"("authorId");

-- CreateIndex
CREATE INDEX "Report_createdAt_idx" ON "Report"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "Report_open_key" ON "Report"("reporterId", "messageId") WHERE ("settledAt" IS NULL);

-- CreateIndex
-- PostgreSQL reads all users for it, about a second for a million, and takes no other user's change meanwhile.
CREATE INDEX "User_moderators_idx" ON "User"("role") WHERE (role = 'moderator');

-- [P49] Removes from reports what an erased user wrote: the copies of their messages, and the reasons of their own reports.
-- The reports are locked in the order of their ids, because two users who are erased at once may have reported each other.
CREATE OR REPLACE FUNCTION parley_erase_from_reports(erased uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM "Report" r WHERE r."authorId" = erased OR r."reporterId" = erased ORDER BY r.id FOR NO KEY UPDATE;
  UPDATE "Report" r SET content = NULL, data = NULL WHERE r."authorId" = erased;
  UPDATE "Report" r SET reason = NULL WHERE r."reporterId" = erased;
END $$;

-- Erases an account: it is then disabled, without email, name and password hash, in no channel, and all its logins are ended. Its messages
-- stay, but not the copies of them in reports. `actor_id` is null if users erase their own account; `login` is the login of the acting user.
DROP FUNCTION IF EXISTS parley_erase_user(uuid, uuid, uuid);
CREATE OR REPLACE FUNCTION parley_erase_user(actor_id uuid, target_id uuid, log_id uuid, login uuid DEFAULT NULL)
RETURNS TABLE (code text, channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  target "User";
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  us := parley_actor(coalesce(actor_id, target_id), login);
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN actor_id IS NOT NULL AND us.role <> 'admin' THEN 'not_authorized'
    WHEN target.id IS NULL THEN 'user_not_found'
    WHEN actor_id = target_id THEN 'not_authorized'
    WHEN parley_is_last_admin(target) THEN 'last_admin'
  END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, true) e;
  DELETE FROM "ChannelInvite" i WHERE i."userId" = target_id;
  DELETE FROM "ChannelModerator" m WHERE m."userId" = target_id;
  PERFORM parley_erase_from_reports(target_id);
  PERFORM parley_end_logins(target_id, 0);
  UPDATE "User" u SET email = NULL, name = 'deleted user', "passwordHash" = NULL, role = 'user', "disabledAt" = coalesce(u."disabledAt", clock_timestamp())
    WHERE u.id = target_id;
  PERFORM parley_log(coalesce(actor_id, target_id), 'erase_user', target_id, nowhere, NULL, NULL, log_id);
END $$;

-- [P47] Says whether this is a channel of two people. Its type is compared as text, because not every release has it.
CREATE OR REPLACE FUNCTION parley_is_direct(ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT ch."channelType"::text = 'direct'
$$;

-- [P49] Says whether the user lists and settles the reports of the channel: whoever can moderate it does. Those of a channel of two people
-- belong to admins, who do not see such a channel and settle its reports as those of any channel.
CREATE OR REPLACE FUNCTION parley_judges_reports(us "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT parley_is_direct(ch) AND parley_can_moderate(us, ch)
$$;

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
