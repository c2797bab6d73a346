-- [P18]–[P22] Makes users members of channels, which are given by name.
-- batch: [{u: user id, s: login, n: channel name, i: id for the channel if it has to be created}, …]. A cap of 0 means no cap.
-- Returns one row per join: its position `ord` in the batch, and an error code or the channel and the user's place in it at that moment.
-- `last_id` is the id of the entry at `last_seq`. `is_new`: this join began the membership.
-- A session plans each statement once (`force_generic_plan`) instead of six times, because one plan of index probes fits all batches.
DROP FUNCTION IF EXISTS parley_join(json, int, int, text, boolean, int, int);
CREATE OR REPLACE FUNCTION parley_join(batch json, max_channels int, max_users int, default_room text, create_missing boolean,
  max_created int DEFAULT 0, created_a_minute int DEFAULT 0)
RETURNS TABLE (ord bigint, code text, channel_id uuid, channel_type text, last_seq bigint, last_id uuid, acl_version bigint, retry_after_ms bigint,
  settings_version int, topic text, slow_mode int, retention int, user_count int, role text, member_since timestamptz, is_moderator boolean,
  muted_until timestamptz, read_seq bigint, is_new boolean)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  todo bigint[];
  made uuid[];
  item record;
  ch "Channel";
  us "User";
BEGIN
  -- Most joins by far are those of members who come back. They need no lock and write nothing. (`LATERAL … LIMIT 1`, here and below, makes
  -- the planner use one index probe per row, whatever sizes it assumes for the tables.)
  FOR item IN
    SELECT b.ord, c.id, c."channelType", c."lastSeq", (SELECT * FROM parley_entry_id(c.id, c."lastSeq")) AS last_id, c."aclVersion",
      c."settingsVersion", c.topic, c."slowMode", c.retention, c."userCount", u.role, m.since, m.read_seq, mute.until AS muted_until,
      m.since IS NOT NULL AND x.found IS NULL AND parley_role_fits(u.role, c."channelType") AS member,
      -- What parley_can_moderate says of a member who is not banned.
      c."channelType" <> 'direct' AND (
        u.role = 'admin' OR (u.email IS NOT NULL AND (moderates.found OR (u.role = 'moderator' AND c."channelType" = 'moderator')))) AS moderator
    FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    LEFT JOIN LATERAL (
      SELECT o.id, o.role, o.email FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(o, b.s)) LIMIT 1) u ON true
    LEFT JOIN LATERAL (SELECT * FROM "Channel" o WHERE o.name = b.n LIMIT 1) c ON true
    LEFT JOIN LATERAL (SELECT o."joinedAt" AS since, coalesce(o."readSeq", parley_read_start(o."channelId")) AS read_seq FROM "ChannelUser" o WHERE o."channelId" = c.id AND o."userId" = u.id LIMIT 1) m ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" o WHERE o."channelId" = c.id AND o."userId" = u.id
      AND (o."expiresAt" IS NULL OR o."expiresAt" > clock_timestamp()) LIMIT 1) x ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelModerator" o WHERE o."channelId" = c.id AND o."userId" = u.id LIMIT 1) moderates ON true
    LEFT JOIN LATERAL (SELECT o."expiresAt" AS until FROM "ChannelMute" o WHERE o."channelId" = c.id AND o."userId" = u.id
      AND o."expiresAt" > clock_timestamp() LIMIT 1) mute ON true
  LOOP
    IF item.member THEN
      RETURN QUERY SELECT item.ord, NULL::text, item.id, item."channelType"::text, item."lastSeq", item.last_id, item."aclVersion", NULL::bigint,
        item."settingsVersion", item.topic, item."slowMode", item.retention, item."userCount", item.role::text, item.since,
        coalesce(item.moderator, false), item.muted_until, item.read_seq, false;
    ELSE
      todo := todo || item.ord;
    END IF;
  END LOOP;
  IF todo IS NULL THEN RETURN; END IF;

  PERFORM FROM "User" u
    WHERE u.id = ANY (ARRAY(SELECT (b ->> 'u')::uuid FROM json_array_elements(batch) b)) ORDER BY u.id FOR NO KEY UPDATE;
  IF create_missing THEN
    -- Channels are inserted in the order of their names, so that two batches that create the same channels do not deadlock.
    WITH new AS (
      INSERT INTO "Channel" (id, name, "channelType")
      SELECT DISTINCT ON (b.n) b.i, b.n, coalesce(parley_type_of_name(b.n), 'public')
      FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
      CROSS JOIN LATERAL (
        SELECT o AS us FROM "User" o WHERE o.id = b.u AND o."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(o, b.s)) LIMIT 1) u
      WHERE b.ord = ANY (todo) AND b.n NOT LIKE 'direct-%' AND parley_role_fits((u.us).role, coalesce(parley_type_of_name(b.n), 'public'))
        AND (SELECT true FROM "Channel" c WHERE c.name = b.n LIMIT 1) IS NULL
        AND (max_channels = 0 OR b.n = default_room OR parley_count_channels(b.u) < max_channels)
        AND (b.n = default_room OR parley_judge_creation(u.us, max_created, created_a_minute) IS NULL)
      ORDER BY b.n, b.ord
      ON CONFLICT (name) DO NOTHING RETURNING id
    ) SELECT array_agg(new.id) INTO made FROM new;
  END IF;
  PERFORM FROM "Channel" c
    WHERE c.name = ANY (ARRAY(SELECT b ->> 'n' FROM json_array_elements(batch) b)) ORDER BY c.id FOR NO KEY UPDATE;

  FOR item IN
    SELECT b.* FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    WHERE b.ord = ANY (todo) ORDER BY b.ord
  LOOP
    us := parley_actor(item.u, item.s);
    SELECT * INTO ch FROM "Channel" c WHERE c.name = item.n;
    ord := item.ord; channel_id := ch.id; channel_type := ch."channelType"; acl_version := ch."aclVersion";
    last_seq := ch."lastSeq"; last_id := (SELECT * FROM parley_entry_id(ch.id, ch."lastSeq"));
    settings_version := ch."settingsVersion"; topic := ch.topic; slow_mode := ch."slowMode"; retention := ch.retention;
    user_count := ch."userCount"; role := us.role; member_since := NULL; is_moderator := NULL; muted_until := NULL; read_seq := NULL;
    code := CASE
      WHEN us.id IS NULL THEN 'authentication_failed'
      WHEN ch.id IS NULL THEN CASE
        WHEN NOT create_missing OR item.n LIKE 'direct-%' THEN 'channel_not_found'
        WHEN NOT parley_role_fits(us.role, coalesce(parley_type_of_name(item.n), 'public')) THEN 'not_authorized'
        ELSE coalesce(parley_judge_creation(us, max_created, created_a_minute), 'too_many_channels') END
      WHEN NOT parley_sees(us, ch) THEN 'channel_not_found'
      WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
      WHEN EXISTS (SELECT FROM "ChannelBan" x WHERE x."channelId" = ch.id AND x."userId" = us.id
        AND (x."expiresAt" IS NULL OR x."expiresAt" > clock_timestamp())) THEN 'banned'
      WHEN EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id) THEN 'member'
      WHEN item.n = default_room THEN NULL
      WHEN max_channels > 0 AND parley_count_channels(us.id) >= max_channels THEN 'too_many_channels'
      WHEN max_users > 0 AND ch."userCount" >= max_users THEN 'channel_full'
      -- The first member of a channel that this batch created counts as its maker, so the limits on creating apply to them.
      WHEN ch.id = ANY (made) AND ch."userCount" = 0 THEN parley_judge_creation(us, max_created, created_a_minute)
    END;
    retry_after_ms := CASE WHEN code = 'rate_limited' THEN parley_creation_wait(us, created_a_minute) END;
    is_new := code IS NULL;
    IF code IS NULL THEN
      INSERT INTO "ChannelUser" AS m ("channelId", "userId") VALUES (ch.id, us.id) RETURNING m."joinedAt", m."readSeq" INTO member_since, read_seq;
      DELETE FROM "ChannelInvite" i WHERE i."channelId" = ch.id AND i."userId" = us.id;
      UPDATE "Channel" c SET "userCount" = c."userCount" + 1 WHERE c.id = ch.id RETURNING c."userCount" INTO user_count;
      IF ch.id = ANY (made) AND ch."userCount" = 0 AND item.n <> default_room THEN
        PERFORM parley_count_creation(us.id, created_a_minute);
      END IF;
      -- The first member of a channel that this batch created becomes its creator and first moderator, unless they are a guest.
      IF ch.id = ANY (made) AND ch."userCount" = 0 AND us.email IS NOT NULL THEN
        UPDATE "Channel" c SET "createdBy" = us.id WHERE c.id = ch.id;
        INSERT INTO "ChannelModerator" ("channelId", "userId") VALUES (ch.id, us.id);
      END IF;
    ELSIF code = 'member' THEN
      code := NULL;
      SELECT m."joinedAt", coalesce(m."readSeq", parley_read_start(ch.id)) INTO member_since, read_seq
        FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id;
    END IF;
    IF code IS NULL THEN
      is_moderator := parley_can_moderate(us, ch);
      muted_until := (SELECT x."expiresAt" FROM "ChannelMute" x WHERE x."channelId" = ch.id AND x."userId" = us.id
        AND x."expiresAt" > clock_timestamp());
    END IF;
    RETURN NEXT;
  END LOOP;
  -- Channels were created by what each user had before the batch, and an earlier join of the same batch may have used up a limit. So
  -- channels that nobody joined are deleted again.
  DELETE FROM "Channel" c WHERE c.id = ANY (made) AND c."userCount" = 0;
END $$;
