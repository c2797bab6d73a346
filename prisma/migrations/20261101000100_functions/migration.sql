-- Every write that touches a channel's lock is one call of a function here: no instance, however slow or frozen, ever holds
-- a lock between two round trips. Locks are taken users first, then channels, each in order of id, always FOR NO KEY
-- UPDATE. What depends on a lock is read by a later statement of a VOLATILE function, whose snapshot is newer than the lock.
-- Refusals come back as codes of the error table (src/errors.ts), never as exceptions: one bad row must not undo a batch.

-- [P18] The type that a channel's name demands, or null where it demands none.
CREATE FUNCTION parley_type_of_name(name text) RETURNS "ChannelType" LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN name LIKE 'admin-%' THEN 'admin'::"ChannelType" WHEN name LIKE 'moderator-%' THEN 'moderator' END
$$;

-- [P18] May a user of this role be in a channel of this type?
CREATE FUNCTION parley_role_fits(role "Role", channel_type "ChannelType") RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE channel_type WHEN 'admin' THEN role = 'admin' WHEN 'moderator' THEN role <> 'user' ELSE true END
$$;

-- [P19] Does the channel exist for this user? A guest (no email) sees no private one. Never null: callers ask NOT.
CREATE FUNCTION parley_sees(u "User", c "Channel") RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT c."channelType" <> 'private' OR u.role = 'admin' OR (u.email IS NOT NULL AND (
    coalesce(c."createdBy" = u.id, false)
    OR EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = c.id AND m."userId" = u.id)
    OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = c.id AND i."userId" = u.id)))
$$;

-- Its creator or an admin: who may change or delete a channel and name its moderators. A role that no longer fits the
-- channel's type ends a creator's rights too [P15]; a guest has none [P16].
CREATE FUNCTION parley_owns(us "User", ch "Channel") RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT us.role = 'admin' OR (us.email IS NOT NULL AND coalesce(ch."createdBy" = us.id, false) AND parley_role_fits(us.role, ch."channelType"))
$$;

-- [P26]–[P28] Stores a batch of messages, each numbered by its channel or refused.
-- batch: [{c: channel id, u: user id, i: message id, m: text, k: client id?}, …], no (c, u, k) twice.
-- One row per message, in order: code null and id, seq, created_at; `duplicate` where the client id was stored before.
CREATE FUNCTION parley_publish(batch json)
RETURNS TABLE (code text, id uuid, seq bigint, created_at timestamptz, duplicate boolean, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  at timestamptz;
BEGIN
  PERFORM FROM "Channel" c
    WHERE c.id IN (SELECT (m ->> 'c')::uuid FROM json_array_elements(batch) m) ORDER BY c.id FOR NO KEY UPDATE;
  at := date_trunc('milliseconds', clock_timestamp());
  RETURN QUERY
  WITH input AS MATERIALIZED (
    SELECT b.ord, b.c, b.u, b.i, b.m, b.k
    FROM ROWS FROM (json_to_recordset(batch) AS (c uuid, u uuid, i uuid, m text, k text)) WITH ORDINALITY AS b (c, u, i, m, k, ord)
  ), senders AS MATERIALIZED (
    -- A sender's standing in a channel is the same for all his messages of the batch. (LATERAL … LIMIT 1: one index
    -- probe each, whatever the planner believes of the tables' sizes.)
    SELECT d.c, d.u, ch.last_seq, mute.until AS muted_until, CASE
      WHEN ch.id IS NULL THEN 'channel_not_found'
      WHEN us.role IS NULL THEN 'authentication_failed'
      WHEN ban.found THEN 'banned'
      WHEN cu.found IS NULL THEN 'not_in_channel'
      WHEN NOT parley_role_fits(us.role, ch.type) THEN 'not_authorized'
      WHEN mute.until IS NOT NULL THEN 'muted'
    END AS refusal
    FROM (SELECT DISTINCT input.c, input.u FROM input) d
    LEFT JOIN LATERAL (SELECT x.id, x."lastSeq" AS last_seq, x."channelType" AS type FROM "Channel" x WHERE x.id = d.c LIMIT 1) ch ON true
    LEFT JOIN LATERAL (SELECT x.role FROM "User" x WHERE x.id = d.u AND x."disabledAt" IS NULL LIMIT 1) us ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelUser" x WHERE x."channelId" = d.c AND x."userId" = d.u LIMIT 1) cu ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" x WHERE x."channelId" = d.c AND x."userId" = d.u
      AND (x."expiresAt" IS NULL OR x."expiresAt" > at) LIMIT 1) ban ON true
    LEFT JOIN LATERAL (SELECT x."expiresAt" AS until FROM "ChannelMute" x WHERE x."channelId" = d.c AND x."userId" = d.u
      AND x."expiresAt" > at LIMIT 1) mute ON true
  ), judged AS MATERIALIZED (
    SELECT b.*, s.refusal, s.last_seq, s.muted_until, old.id AS old_id, old.seq AS old_seq, old."createdAt" AS old_at,
      row_number() OVER (PARTITION BY b.c, s.refusal IS NULL AND old.id IS NULL ORDER BY b.ord) AS place
    FROM input b
    JOIN senders s ON s.c = b.c AND s.u = b.u
    LEFT JOIN LATERAL (SELECT x.id, x.seq, x."createdAt" FROM "Message" x
      WHERE x."channelId" = b.c AND x."userId" = b.u AND x."clientId" = b.k LIMIT 1) old ON b.k IS NOT NULL
  ), stored AS (
    INSERT INTO "Message" ("channelId", seq, id, "userId", content, "clientId", "createdAt")
    SELECT j.c, j.last_seq + j.place, j.i, j.u, j.m, j.k, at FROM judged j WHERE j.refusal IS NULL AND j.old_id IS NULL
  ), numbered AS (
    UPDATE "Channel" ch SET "lastSeq" = n.last FROM (
      SELECT j.c, max(j.last_seq + j.place) AS last FROM judged j WHERE j.refusal IS NULL AND j.old_id IS NULL GROUP BY j.c
    ) n WHERE ch.id = n.c
  )
  SELECT CASE WHEN j.old_id IS NULL THEN j.refusal END, coalesce(j.old_id, j.i), coalesce(j.old_seq, j.last_seq + j.place),
    coalesce(j.old_at, at), j.old_id IS NOT NULL,
    CASE WHEN j.refusal = 'muted' THEN ceil(extract(epoch FROM j.muted_until - at) * 1000)::bigint END
  FROM judged j ORDER BY j.ord;
END $$;

-- [P18]–[P22] Makes users members of channels, by name.
-- batch: [{u: user id, n: channel name, i: id for the channel if it is to be made}, …]. A cap of 0 is none.
-- One row per join, in order: a code, or the channel as it was at that moment.
CREATE FUNCTION parley_join(batch json, max_channels int, max_users int, default_room text, create_missing boolean)
RETURNS TABLE (ord bigint, code text, channel_id uuid, channel_type text, last_seq bigint, acl_version bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  todo bigint[];
  made uuid[];
  item record;
  ch "Channel";
  us "User";
BEGIN
  -- Members who come back, most joins by far, need no lock and write nothing.
  FOR item IN
    SELECT b.ord, c.id, c."channelType", c."lastSeq", c."aclVersion",
      m."userId" IS NOT NULL AND parley_role_fits(u.role, c."channelType") AND NOT EXISTS (
        SELECT FROM "ChannelBan" x WHERE x."channelId" = c.id AND x."userId" = u.id AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())
      ) AS member
    FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, n text, i uuid)) WITH ORDINALITY AS b (u, n, i, ord)
    LEFT JOIN "User" u ON u.id = b.u AND u."disabledAt" IS NULL
    LEFT JOIN "Channel" c ON c.name = b.n
    LEFT JOIN "ChannelUser" m ON m."channelId" = c.id AND m."userId" = u.id
  LOOP
    IF item.member THEN
      RETURN QUERY SELECT item.ord, NULL::text, item.id, item."channelType"::text, item."lastSeq", item."aclVersion";
    ELSE
      todo := todo || item.ord;
    END IF;
  END LOOP;
  IF todo IS NULL THEN RETURN; END IF;

  PERFORM FROM "User" u
    WHERE u.id IN (SELECT (b ->> 'u')::uuid FROM json_array_elements(batch) b) ORDER BY u.id FOR NO KEY UPDATE;
  IF create_missing THEN
    -- In order of name: two batches that make the same channels must not wait for each other.
    WITH new AS (
      INSERT INTO "Channel" (id, name, "channelType")
      SELECT DISTINCT ON (b.n) b.i, b.n, coalesce(parley_type_of_name(b.n), 'public')
      FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, n text, i uuid)) WITH ORDINALITY AS b (u, n, i, ord)
      JOIN "User" u ON u.id = b.u AND u."disabledAt" IS NULL
      WHERE b.ord = ANY (todo) AND parley_role_fits(u.role, coalesce(parley_type_of_name(b.n), 'public'))
        AND NOT EXISTS (SELECT FROM "Channel" c WHERE c.name = b.n)
        AND (max_channels = 0 OR b.n = default_room OR (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = u.id) < max_channels)
      ORDER BY b.n, b.ord
      ON CONFLICT (name) DO NOTHING RETURNING id
    ) SELECT array_agg(new.id) INTO made FROM new;
  END IF;
  PERFORM FROM "Channel" c
    WHERE c.name IN (SELECT b ->> 'n' FROM json_array_elements(batch) b) ORDER BY c.id FOR NO KEY UPDATE;

  FOR item IN
    SELECT b.* FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, n text, i uuid)) WITH ORDINALITY AS b (u, n, i, ord)
    WHERE b.ord = ANY (todo) ORDER BY b.ord
  LOOP
    SELECT * INTO us FROM "User" u WHERE u.id = item.u AND u."disabledAt" IS NULL;
    SELECT * INTO ch FROM "Channel" c WHERE c.name = item.n;
    ord := item.ord; channel_id := ch.id; channel_type := ch."channelType"; last_seq := ch."lastSeq"; acl_version := ch."aclVersion";
    code := CASE
      WHEN us.id IS NULL THEN 'authentication_failed'
      WHEN ch.id IS NULL THEN CASE
        WHEN NOT create_missing THEN 'channel_not_found'
        WHEN NOT parley_role_fits(us.role, coalesce(parley_type_of_name(item.n), 'public')) THEN 'not_authorized'
        ELSE 'too_many_channels' END
      WHEN NOT parley_sees(us, ch) THEN 'channel_not_found'
      WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
      WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
        AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
      WHEN EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id) THEN 'member'
      WHEN item.n = default_room THEN NULL
      WHEN max_channels > 0 AND (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = us.id) >= max_channels THEN 'too_many_channels'
      WHEN max_users > 0 AND ch."userCount" >= max_users THEN 'channel_full'
    END;
    IF code IS NULL THEN
      INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (ch.id, us.id);
      DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = us.id;
      UPDATE "Channel" c SET "userCount" = c."userCount" + 1 WHERE c.id = ch.id;
      -- The first member of a channel made here is its creator and first moderator. (A guest is neither.)
      IF ch.id = ANY (made) AND ch."userCount" = 0 AND us.email IS NOT NULL THEN
        UPDATE "Channel" c SET "createdBy" = us.id WHERE c.id = ch.id;
        INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (ch.id, us.id);
      END IF;
    ELSIF code = 'member' THEN
      code := NULL;
    END IF;
    RETURN NEXT;
  END LOOP;
  -- Each user was judged by what he had before the batch: what was made for one join may not be allowed after another.
  DELETE FROM "Channel" c WHERE c.id = ANY (made) AND c."userCount" = 0;
END $$;

-- [P20] Ends a membership. `code` where the user does not see the channel; `ended` false where there was no membership.
CREATE FUNCTION parley_leave(user_id uuid, channel_name text)
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, ended boolean) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  ch "Channel";
  us "User";
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  SELECT * INTO us FROM "User" u WHERE u.id = user_id;
  IF ch.id IS NULL OR us.id IS NULL OR NOT parley_sees(us, ch) THEN
    RETURN QUERY SELECT 'channel_not_found', NULL::uuid, NULL::bigint, false;
    RETURN;
  END IF;
  RETURN QUERY SELECT NULL::text, ch.id, r.acl_version, r.ended FROM parley_end_membership(ch.id, us.id) r;
END $$;

-- For the functions that hold the channel's lock.
CREATE FUNCTION parley_end_membership(channel uuid, member uuid, OUT acl_version bigint, OUT ended boolean) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  DELETE FROM "ChannelUser" m WHERE m."channelId" = channel AND m."userId" = member;
  ended := FOUND;
  UPDATE "Channel" c SET "userCount" = c."userCount" - ended::int, "aclVersion" = c."aclVersion" + ended::int
    WHERE c.id = channel RETURNING c."aclVersion" INTO acl_version;
END $$;

-- [P18] May this user give a channel of this name this type? Null, or the code that says why not.
CREATE FUNCTION parley_judge_type(us "User", channel_name text, new_type "ChannelType") RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN us.id IS NULL OR us."disabledAt" IS NOT NULL THEN 'authentication_failed'
    WHEN us.email IS NULL OR coalesce(parley_type_of_name(channel_name), new_type) <> new_type
      OR (new_type IN ('admin', 'moderator') AND us.role <> 'admin') THEN 'not_authorized'
  END
$$;

-- Makes a channel, its creator a member and its first moderator.
CREATE FUNCTION parley_create_channel(user_id uuid, id uuid, channel_name text, new_type "ChannelType", max_channels int)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  refusal text;
BEGIN
  SELECT * INTO us FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  refusal := parley_judge_type(us, channel_name, new_type);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  IF EXISTS (SELECT FROM "Channel" c WHERE c.name = channel_name) THEN RETURN 'channel_exists'; END IF;
  IF max_channels > 0 AND (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = us.id) >= max_channels THEN RETURN 'too_many_channels'; END IF;
  INSERT INTO "Channel" (id, name, "channelType", "createdBy", "userCount") VALUES (id, channel_name, new_type, us.id, 1)
    ON CONFLICT (name) DO NOTHING;
  IF NOT FOUND THEN RETURN 'channel_exists'; END IF;
  INSERT INTO "ChannelUser" ("channelId", "userId") VALUES (id, us.id);
  INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (id, us.id);
  RETURN NULL;
END $$;

-- Changes a channel's type and ends the memberships of those who may no longer be there. Its creator and admins only.
CREATE FUNCTION parley_set_channel_type(user_id uuid, channel_name text, new_type "ChannelType")
RETURNS TABLE (code text, channel_id uuid, acl_version bigint, removed uuid[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR NO KEY UPDATE;
  SELECT * INTO us FROM "User" u WHERE u.id = user_id AND u."disabledAt" IS NULL;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN NOT parley_owns(us, ch) THEN 'not_authorized'
    ELSE parley_judge_type(us, channel_name, new_type)
  END;
  IF code IS NULL THEN
    WITH gone AS (
      DELETE FROM "ChannelUser" m USING "User" u WHERE m."channelId" = ch.id AND u.id = m."userId"
        AND NOT (parley_role_fits(u.role, new_type) AND (new_type = 'public' OR u.email IS NOT NULL)) RETURNING m."userId"
    ) SELECT coalesce(array_agg("userId"), '{}') INTO removed FROM gone;
    UPDATE "Channel" c SET "channelType" = new_type, "userCount" = c."userCount" - cardinality(removed), "aclVersion" = c."aclVersion" + 1
      WHERE c.id = ch.id RETURNING c.id, c."aclVersion" INTO channel_id, acl_version;
  END IF;
  RETURN NEXT;
END $$;

-- [P24] Deletes a channel; its messages are left to parley_purge_messages.
CREATE FUNCTION parley_delete_channel(user_id uuid, channel_name text)
RETURNS TABLE (code text, channel_id uuid) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  ch "Channel";
BEGIN
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name FOR UPDATE;
  SELECT * INTO us FROM "User" u WHERE u.id = user_id AND u."disabledAt" IS NULL;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) THEN 'channel_not_found'
    WHEN NOT parley_owns(us, ch) THEN 'not_authorized'
  END;
  channel_id := ch.id;
  IF code IS NULL THEN DELETE FROM "Channel" c WHERE c.id = ch.id; END IF;
  RETURN NEXT;
END $$;

-- Removes up to `most` entries, messages and changes, of channels that are gone. Returns how many; 0 says there are none left.
CREATE FUNCTION parley_purge_messages(most int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  channel uuid := '00000000-0000-0000-0000-000000000000';
  messages int;
  changes int;
BEGIN
  -- From one channel id to the next along the primary keys, not row by row. (LEAST passes over nulls.)
  LOOP
    channel := least(
      (SELECT m."channelId" FROM "Message" m WHERE m."channelId" > channel ORDER BY m."channelId" LIMIT 1),
      (SELECT x."channelId" FROM "MessageChange" x WHERE x."channelId" > channel ORDER BY x."channelId" LIMIT 1));
    IF channel IS NULL THEN RETURN 0; END IF;
    EXIT WHEN NOT EXISTS (SELECT FROM "Channel" c WHERE c.id = channel);
  END LOOP;
  DELETE FROM "Message" m WHERE m."channelId" = channel AND m.seq IN (
    SELECT o.seq FROM "Message" o WHERE o."channelId" = channel ORDER BY o.seq LIMIT most);
  GET DIAGNOSTICS messages = ROW_COUNT;
  DELETE FROM "MessageChange" x WHERE x."channelId" = channel AND x.seq IN (
    SELECT o.seq FROM "MessageChange" o WHERE o."channelId" = channel ORDER BY o.seq LIMIT most - messages);
  GET DIAGNOSTICS changes = ROW_COUNT;
  RETURN messages + changes;
END $$;

-- [P16] Ends a guest with his connection: his memberships, and himself.
CREATE FUNCTION parley_end_guest(guest uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = guest FOR NO KEY UPDATE;
  PERFORM FROM "Channel" c WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = guest) ORDER BY c.id FOR NO KEY UPDATE;
  WITH gone AS (DELETE FROM "ChannelUser" m WHERE m."userId" = guest RETURNING m."channelId")
    UPDATE "Channel" c SET "userCount" = c."userCount" - 1 FROM gone WHERE c.id = gone."channelId";
  UPDATE "User" u SET "disabledAt" = clock_timestamp() WHERE u.id = guest;
END $$;
