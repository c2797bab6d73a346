-- Commands on channels and users. They follow the rules of the functions before them: one call per act, users locked
-- before channels, each in order of id, judged by statements that are newer than the lock, refusals as codes.

-- An admin, a moderator of this channel, or a moderator by role in a channel of that type: as long as his role lets him be
-- in the channel at all [P15], and never a guest [P16].
CREATE FUNCTION parley_can_moderate(us "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT us.role = 'admin' OR (us.email IS NOT NULL AND parley_role_fits(us.role, ch."channelType") AND (
    (us.role = 'moderator' AND ch."channelType" = 'moderator')
    OR EXISTS (SELECT FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = us.id)))
$$;

-- Nobody moderates himself, the channel's creator, or a user of a higher role. (Roles are declared from low to high.)
CREATE FUNCTION parley_outranks(us "User", target "User", ch "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT us.id <> target.id AND target.id IS DISTINCT FROM ch."createdBy" AND us.role >= target.role
$$;

CREATE FUNCTION parley_log(actor uuid, act text, target uuid, ch "Channel", why text, until timestamptz, log_id uuid)
RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO "ModerationLog" (id, "actorId", action, "targetId", "channelId", "channelName", reason, "expiresAt", "createdAt")
  VALUES (log_id, actor, act, target, ch.id, ch.name, why, until, clock_timestamp())
$$;

-- One act of one user on another in a channel: invite_user, kick_user, ban_user, unban_user, mute_user, unmute_user,
-- add_moderator, remove_moderator. `duration` in seconds; null: for good (bans only).
-- `effect` false: there was nothing to do. `ended`: a membership ended, and the channel's aclVersion rose.
CREATE FUNCTION parley_moderate(actor_id uuid, act text, channel_name text, target_id uuid, why text, duration int, log_id uuid)
RETURNS TABLE (code text, channel_id uuid, channel_type text, acl_version bigint, expires_at timestamptz, effect boolean, ended boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  target "User";
  ch "Channel";
  at timestamptz;
  is_banned boolean;
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  SELECT * INTO us FROM "User" u WHERE u.id = actor_id AND u."disabledAt" IS NULL;
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND (u."disabledAt" IS NULL OR u.email IS NOT NULL);
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN act IN ('add_moderator', 'remove_moderator') AND NOT parley_owns(us, ch) THEN 'not_authorized'
    WHEN act NOT IN ('add_moderator', 'remove_moderator') AND NOT parley_can_moderate(us, ch) THEN 'not_authorized'
    WHEN target.id IS NULL THEN 'user_not_found'
    WHEN act IN ('kick_user', 'ban_user', 'unban_user', 'mute_user', 'unmute_user') AND NOT parley_outranks(us, target, ch) THEN 'not_authorized'
  END;
  effect := false; ended := false;
  channel_id := ch.id; channel_type := ch."channelType"; acl_version := ch."aclVersion";
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  is_banned := EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id AND (b."expiresAt" IS NULL OR b."expiresAt" > at));
  IF act IN ('ban_user', 'mute_user') THEN expires_at := at + make_interval(secs => duration); END IF;

  IF act = 'invite_user' THEN
    IF is_banned THEN code := 'banned'; RETURN NEXT; RETURN; END IF;
    INSERT INTO "ChannelInvite" ("channelId", "userId", "invitedBy") SELECT ch.id, target.id, us.id
      WHERE NOT EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = target.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
  ELSIF act IN ('kick_user', 'ban_user') THEN
    DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = target.id;
    effect := FOUND;
    SELECT r.acl_version, r.ended INTO acl_version, ended FROM parley_end_membership(ch.id, target.id) r;
    effect := effect OR ended;
    IF act = 'ban_user' THEN
      DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
      INSERT INTO "ChannelBan" ("channelId", "userId", reason, "bannedBy", "expiresAt", "createdAt") VALUES (ch.id, target.id, why, us.id, expires_at, at)
        ON CONFLICT ("channelId", "userId") DO UPDATE
        SET reason = EXCLUDED.reason, "bannedBy" = EXCLUDED."bannedBy", "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
      effect := true;
    END IF;
  ELSIF act = 'unban_user' THEN
    DELETE FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = target.id;
    effect := is_banned;
  ELSIF act = 'mute_user' THEN
    INSERT INTO "ChannelMute" ("channelId", "userId", "mutedBy", "expiresAt", "createdAt") VALUES (ch.id, target.id, us.id, expires_at, at)
      ON CONFLICT ("channelId", "userId") DO UPDATE
      SET "mutedBy" = EXCLUDED."mutedBy", "expiresAt" = EXCLUDED."expiresAt", "createdAt" = EXCLUDED."createdAt";
    effect := true;
  ELSIF act = 'unmute_user' THEN
    WITH gone AS (DELETE FROM "ChannelMute" m WHERE m."channelId" = ch.id AND m."userId" = target.id RETURNING m."expiresAt")
      SELECT coalesce(bool_or(gone."expiresAt" > at), false) INTO effect FROM gone;
  ELSIF act = 'add_moderator' THEN
    INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (ch.id, target.id) ON CONFLICT DO NOTHING;
    effect := FOUND;
  ELSIF act = 'remove_moderator' THEN
    DELETE FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = target.id;
    effect := FOUND;
  END IF;
  IF effect THEN PERFORM parley_log(us.id, act, target.id, ch, why, expires_at, log_id); END IF;
  RETURN NEXT;
END $$;

-- [P34] Edits and deletions, each an entry of its channel's sequence.
-- batch: [{n: channel name, u: user id, i: message id, m: new text, or null to delete, l: id for the log}, …]
-- One row per change, in order: a code, or the entry's channel, seq, time and the message's author.
CREATE FUNCTION parley_change(batch json)
RETURNS TABLE (code text, channel_id uuid, seq bigint, created_at timestamptz, author_id uuid, retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  item record;
  us "User";
  author "User";
  ch "Channel";
  msg "Message";
  muted_until timestamptz;
  at timestamptz;
BEGIN
  PERFORM FROM "Channel" c WHERE c.name IN (SELECT b ->> 'n' FROM json_array_elements(batch) b) ORDER BY c.id FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  FOR item IN
    SELECT b.* FROM ROWS FROM (json_to_recordset(batch) AS (n text, u uuid, i uuid, m text, l uuid)) WITH ORDINALITY AS b (n, u, i, m, l, ord) ORDER BY b.ord
  LOOP
    SELECT * INTO us FROM "User" u WHERE u.id = item.u AND u."disabledAt" IS NULL;
    SELECT * INTO ch FROM "Channel" c WHERE c.name = item.n;
    SELECT * INTO msg FROM "Message" x WHERE x.id = item.i AND x."channelId" = ch.id AND x."deletedAt" IS NULL;
    SELECT * INTO author FROM "User" u WHERE u.id = msg."userId";
    muted_until := (SELECT x."expiresAt" FROM "ChannelMute" x WHERE x."channelId" = ch.id AND x."userId" = us.id AND x."expiresAt" > at);
    code := CASE
      WHEN us.id IS NULL THEN 'authentication_failed'
      WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
      WHEN us.email IS NULL THEN 'not_authorized'
      WHEN msg.id IS NULL THEN 'message_not_found'
      WHEN msg."userId" <> us.id AND (item.m IS NOT NULL OR NOT parley_can_moderate(us, ch) OR NOT parley_outranks(us, author, ch)) THEN 'not_authorized'
      WHEN item.m IS NULL THEN NULL
      WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id AND (x."expiresAt" IS NULL OR x."expiresAt" > at)) THEN 'banned'
      WHEN NOT EXISTS (SELECT FROM "ChannelUser" x WHERE x."channelId" = ch.id AND x."userId" = us.id) THEN 'not_in_channel'
      WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
      WHEN muted_until IS NOT NULL THEN 'muted'
    END;
    channel_id := ch.id; seq := NULL; created_at := at; author_id := msg."userId"; retry_after_ms := NULL;
    IF code = 'muted' THEN retry_after_ms := ceil(extract(epoch FROM muted_until - at) * 1000)::bigint; END IF;
    IF code IS NULL THEN
      UPDATE "Channel" c SET "lastSeq" = c."lastSeq" + 1 WHERE c.id = ch.id RETURNING c."lastSeq" INTO seq;
      INSERT INTO "MessageChange" ("channelId", seq, "messageId", kind, "userId", "createdAt")
        VALUES (ch.id, seq, msg.id, CASE WHEN item.m IS NULL THEN 'deleted'::"ChangeKind" ELSE 'edited' END, us.id, at);
      IF item.m IS NULL THEN
        UPDATE "Message" x SET content = NULL, "deletedAt" = at WHERE x."channelId" = ch.id AND x.seq = msg.seq;
        IF msg."userId" <> us.id THEN PERFORM parley_log(us.id, 'delete_message', msg."userId", ch, NULL, NULL, item.l); END IF;
      ELSE
        UPDATE "Message" x SET content = item.m, "editedAt" = at WHERE x."channelId" = ch.id AND x.seq = msg.seq;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

-- Ends a user's memberships that `fits` no more, and says where. For functions that hold the user's lock.
CREATE FUNCTION parley_end_memberships(member uuid, everywhere boolean)
RETURNS TABLE (channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  item record;
BEGIN
  FOR item IN
    SELECT c.id, c.name, c."channelType" FROM "Channel" c WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = member)
    ORDER BY c.id FOR NO KEY UPDATE
  LOOP
    CONTINUE WHEN NOT everywhere AND (SELECT parley_role_fits(u.role, item."channelType") FROM "User" u WHERE u.id = member);
    channel_id := item.id; channel_name := item.name;
    acl_version := (SELECT r.acl_version FROM parley_end_membership(item.id, member) r);
    RETURN NEXT;
  END LOOP;
END $$;

-- [P15] Gives a user another role; memberships that it no longer allows end. Nobody changes his own.
CREATE FUNCTION parley_set_role(actor_id uuid, target_id uuid, new_role "Role", log_id uuid)
RETURNS TABLE (code text, channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
BEGIN
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL FOR NO KEY UPDATE;
  code := CASE WHEN target.id IS NULL THEN 'user_not_found' WHEN actor_id = target_id THEN 'not_authorized' END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  IF target.role = new_role THEN RETURN; END IF;
  UPDATE "User" u SET role = new_role WHERE u.id = target_id;
  PERFORM parley_log(actor_id, 'set_role_' || new_role, target_id, nowhere, NULL, NULL, log_id);
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, false) e;
END $$;

-- Disables or enables a user. What he sends in a channel and commits after this is refused: his channels are locked too.
CREATE FUNCTION parley_set_disabled(actor_id uuid, target_id uuid, disable boolean, log_id uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
BEGIN
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL FOR NO KEY UPDATE;
  IF target.id IS NULL THEN RETURN 'user_not_found'; END IF;
  IF actor_id = target_id THEN RETURN 'not_authorized'; END IF;
  IF (target."disabledAt" IS NOT NULL) = disable THEN RETURN NULL; END IF;
  PERFORM FROM "Channel" c WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = target_id) ORDER BY c.id FOR NO KEY UPDATE;
  UPDATE "User" u SET "disabledAt" = CASE WHEN disable THEN clock_timestamp() END WHERE u.id = target_id;
  IF disable THEN
    UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."userId" = target_id AND t."revokedAt" IS NULL;
  END IF;
  PERFORM parley_log(actor_id, CASE WHEN disable THEN 'disable_user' ELSE 'enable_user' END, target_id, nowhere, NULL, NULL, log_id);
  RETURN NULL;
END $$;

-- Erases an account: disabled, in no channel, without email, name and hash, its logins revoked. What it wrote stays.
-- `actor_id` is null where the user does it himself.
CREATE FUNCTION parley_erase_user(actor_id uuid, target_id uuid, log_id uuid)
RETURNS TABLE (code text, channel_id uuid, channel_name text, acl_version bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL FOR NO KEY UPDATE;
  code := CASE WHEN NOT FOUND THEN 'user_not_found' WHEN actor_id = target_id THEN 'not_authorized' END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  RETURN QUERY SELECT NULL::text, e.channel_id, e.channel_name, e.acl_version FROM parley_end_memberships(target_id, true) e;
  DELETE FROM "ChannelInvite" i WHERE i."userId" = target_id;
  DELETE FROM "ChannelModerator" m WHERE m."userId" = target_id;
  UPDATE "RefreshToken" t SET "revokedAt" = clock_timestamp() WHERE t."userId" = target_id AND t."revokedAt" IS NULL;
  UPDATE "User" u SET email = NULL, name = 'deleted user', "passwordHash" = NULL, role = 'user', "disabledAt" = coalesce(u."disabledAt", clock_timestamp())
    WHERE u.id = target_id;
  PERFORM parley_log(coalesce(actor_id, target_id), 'erase_user', target_id, nowhere, NULL, NULL, log_id);
END $$;
