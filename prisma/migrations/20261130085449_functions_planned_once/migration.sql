-- Says whether the user may moderate the channel: admins, moderators of this channel, and, if its type is `moderator`, users with that
-- role may. Except for admins, the role has to fit the channel's type [P15] and no ban may be in force [P55]. Guests never may [P16]. Nobody moderates a direct channel [P47].
-- It is PL/pgSQL, which keeps its plan: PostgreSQL would plan a function in SQL anew for each join of a batch.
CREATE OR REPLACE FUNCTION parley_can_moderate(us "User", ch "Channel") RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN ch."channelType" <> 'direct' AND (us.role = 'admin' OR (us.email IS NOT NULL AND parley_role_fits(us.role, ch."channelType") AND (
    (us.role = 'moderator' AND ch."channelType" = 'moderator')
    OR EXISTS (SELECT FROM "ChannelModerator" m WHERE m."channelId" = ch.id AND m."userId" = us.id))
    AND NOT EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = us.id
      AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp()))));
END $$;

-- Stores messages, edits and deletions, and reactions in one call, in this order. The arguments are those of parley_publish, parley_change and
-- parley_react, which judge and store the items. (A batch of messages only goes to parley_publish directly.)
-- Returns one row per item: its `kind` and its position `ord` among the items of this kind, an error code, and what the functions return.
-- All locks are taken here, users before channels and channels by id, because the three functions would take theirs one after the other.
-- A session plans each statement once (`force_generic_plan`) instead of six times, because one plan of index probes fits all batches.
CREATE OR REPLACE FUNCTION parley_commit(senders json, messages json, changes json, reactions json, max_reactions int)
RETURNS TABLE (kind text, ord bigint, code text, channel_id uuid, id uuid, seq bigint, created_at timestamptz, duplicate boolean, told uuid,
  author_id uuid, data text, username text, handle text, retry_after_ms bigint)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  ids uuid[] := ARRAY(SELECT (b ->> 'c')::uuid FROM json_array_elements(senders) b);
  names text[] := ARRAY(SELECT b ->> 'n' FROM json_array_elements(changes) b UNION ALL SELECT b ->> 'n' FROM json_array_elements(reactions) b);
BEGIN
  PERFORM FROM "User" u WHERE u.id = ANY (ARRAY(SELECT (b ->> 'u')::uuid FROM json_array_elements(changes) b)) ORDER BY u.id FOR SHARE;
  PERFORM FROM "Channel" c WHERE c.id = ANY (ids) OR c.name = ANY (names) ORDER BY c.id FOR NO KEY UPDATE;
  IF json_array_length(messages) > 0 THEN
    RETURN QUERY SELECT 'message', p.ordinality, p.code, NULL::uuid, p.id, p.seq, p.created_at, p.duplicate, p.told,
      NULL::uuid, NULL::text, NULL::text, NULL::text, p.retry_after_ms
      FROM ROWS FROM (parley_publish(senders, messages)) WITH ORDINALITY p;
  END IF;
  IF json_array_length(changes) > 0 THEN
    RETURN QUERY SELECT 'change', p.ordinality, p.code, p.channel_id, NULL::uuid, p.seq, p.created_at, NULL::boolean, NULL::uuid,
      p.author_id, p.data, NULL::text, NULL::text, p.retry_after_ms
      FROM ROWS FROM (parley_change(changes)) WITH ORDINALITY p;
  END IF;
  IF json_array_length(reactions) > 0 THEN
    RETURN QUERY SELECT 'reaction', p.ord, p.code, p.channel_id, NULL::uuid, p.seq, p.created_at, NULL::boolean, NULL::uuid,
      NULL::uuid, NULL::text, p.username, p.handle, p.retry_after_ms
      FROM parley_react(reactions, max_reactions) p;
  END IF;
END $$;

-- [P21] Counts the channels that a user is a member of. Direct channels do not count [P47].
-- It is PL/pgSQL, which keeps its plan: PostgreSQL would plan a function in SQL anew for each join of a batch.
CREATE OR REPLACE FUNCTION parley_count_channels(member uuid) RETURNS bigint LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT count(*) FROM "ChannelUser" m WHERE m."userId" = member) - (SELECT count(*) FROM "DirectPeer" p
    JOIN "ChannelUser" m ON m."channelId" = p."channelId" AND m."userId" = p."userId" WHERE p."userId" = member);
END $$;

-- [P37] Returns the id of a channel's entry with this `seq`: a message's id, also for an edit or a deletion of the message or a
-- reaction to it. Null where the channel has no such entry. The function returns a set of one row, which PostgreSQL
-- inlines into the calling statement.
DROP FUNCTION IF EXISTS parley_entry_id(uuid, bigint);
CREATE OR REPLACE FUNCTION parley_entry_id(channel uuid, at bigint) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT m.id FROM "Message" m WHERE m."channelId" = channel AND m.seq = at),
    (SELECT x."messageId" FROM "MessageChange" x WHERE x."channelId" = channel AND x.seq = at),
    (SELECT r."messageId" FROM "Reaction" r WHERE r."channelId" = channel AND r.seq = at))
$$;

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

-- [P58] Returns null if this user may create one more channel, else an error code. A cap of 0 means no cap.
-- It is PL/pgSQL, which keeps its plan: PostgreSQL would plan a function in SQL anew for each join of a batch.
CREATE OR REPLACE FUNCTION parley_judge_creation(us "User", max_created int, created_a_minute int) RETURNS text LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  RETURN CASE
    WHEN max_created > 0
      AND (SELECT count(*) FROM (SELECT FROM "Channel" c WHERE c."createdBy" = us.id LIMIT max_created) made) >= max_created THEN 'too_many_channels'
    WHEN parley_creation_wait(us, created_a_minute) > 0 THEN 'rate_limited'
  END;
END $$;

-- [P26]–[P28] Stores a batch of messages. Each message gets the next number of its channel or is refused.
-- senders: [{c: channel id, u: user id, s: login?}, …], no two alike: each sender is checked once for all their messages in the channel.
-- messages: [{p: position of the sender, from 1, i: message id, m: text, k: client id?, r: id of the message that it replies to?,
-- d: data as JSON text?}, …], no combination of c, u and k twice. Instances of the previous release send no r and d.
-- Returns one row per message, in the order of the batch: an error code, or null with id, seq and created_at. `duplicate` says that the
-- client id was stored before; the row then describes the stored message. `told` is the user who has to be told of a direct channel, because
-- this message is its first or has brought them back [P47].
-- (parley_publish(json) stays for instances of the previous release.)
-- A session plans each statement once (`force_generic_plan`) instead of six times, because one plan of index probes fits all batches.
DROP FUNCTION IF EXISTS parley_publish(json, json);
CREATE OR REPLACE FUNCTION parley_publish(senders json, messages json)
RETURNS TABLE (code text, id uuid, seq bigint, created_at timestamptz, duplicate boolean, retry_after_ms bigint, told uuid)
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  at timestamptz;
  is_slow boolean;
  waits bigint[];
  is_direct boolean;
  direct_refusals text[];
  direct_told uuid[];
BEGIN
  SELECT bool_or(l.is_slow), bool_or(l.is_direct) INTO is_slow, is_direct FROM (
    SELECT c."slowMode" > 0 AS is_slow, c."channelType" = 'direct' AS is_direct FROM "Channel" c
    WHERE c.id IN (SELECT (s ->> 'c')::uuid FROM json_array_elements(senders) s) ORDER BY c.id FOR NO KEY UPDATE) l;
  at := date_trunc('milliseconds', clock_timestamp());
  IF is_slow THEN waits := parley_slow_mode(senders, messages, at); END IF;
  IF is_direct THEN SELECT * INTO direct_refusals, direct_told FROM parley_judge_directs(senders); END IF;
  RETURN QUERY
  WITH standing AS MATERIALIZED (
    -- `LATERAL … LIMIT 1` makes the planner use one index probe per row, whatever sizes it assumes for the tables.
    SELECT d.place, d.c, d.u, ch.last_seq, mute.until AS muted_until, CASE
      WHEN ch.id IS NULL THEN 'channel_not_found'
      WHEN us.role IS NULL THEN 'authentication_failed'
      WHEN ban.found THEN 'banned'
      WHEN cu.found IS NULL THEN 'not_in_channel'
      WHEN NOT parley_role_fits(us.role, ch.type) THEN 'not_authorized'
      WHEN mute.until IS NOT NULL THEN 'muted'
      ELSE direct_refusals[d.place]
    END AS refusal
    FROM ROWS FROM (json_to_recordset(senders) AS (c uuid, u uuid, s uuid)) WITH ORDINALITY AS d (c, u, s, place)
    LEFT JOIN LATERAL (SELECT x.id, x."lastSeq" AS last_seq, x."channelType" AS type FROM "Channel" x WHERE x.id = d.c LIMIT 1) ch ON true
    LEFT JOIN LATERAL (SELECT x.role FROM "User" x WHERE x.id = d.u AND x."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(x, d.s)) LIMIT 1) us ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelUser" x WHERE x."channelId" = d.c AND x."userId" = d.u LIMIT 1) cu ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM "ChannelBan" x WHERE x."channelId" = d.c AND x."userId" = d.u
      AND (x."expiresAt" IS NULL OR x."expiresAt" > at) LIMIT 1) ban ON true
    LEFT JOIN LATERAL (SELECT x."expiresAt" AS until FROM "ChannelMute" x WHERE x."channelId" = d.c AND x."userId" = d.u
      AND x."expiresAt" > at LIMIT 1) mute ON true
  ), judged AS MATERIALIZED (
    SELECT b.ord, b.p, b.i, b.m, b.k, b.r, b.d, s.c, s.u, own.refusal, s.last_seq, s.muted_until, old.id AS old_id, old.seq AS old_seq, old."createdAt" AS old_at,
      row_number() OVER (PARTITION BY s.c, own.refusal IS NULL AND old.id IS NULL ORDER BY b.ord) AS place
    FROM ROWS FROM (json_to_recordset(messages) AS (p int, i uuid, m text, k text, r uuid, d text)) WITH ORDINALITY AS b (p, i, m, k, r, d, ord)
    JOIN standing s ON s.place = b.p
    CROSS JOIN LATERAL (SELECT CASE
      WHEN s.refusal IS NOT NULL THEN s.refusal
      WHEN b.r IS NOT NULL AND NOT EXISTS (SELECT FROM parley_takes_reply(s.c, b.r)) THEN 'message_not_found'
      WHEN waits[b.ord] IS NOT NULL THEN 'rate_limited'
    END AS refusal) own
    LEFT JOIN LATERAL (SELECT x.id, x.seq, x."createdAt" FROM "Message" x
      WHERE x."channelId" = s.c AND x."userId" = s.u AND x."clientId" = b.k LIMIT 1) old ON b.k IS NOT NULL
  ), stored AS (
    INSERT INTO "Message" ("channelId", seq, id, "userId", content, "clientId", "replyTo", data, "createdAt")
    SELECT j.c, j.last_seq + j.place, j.i, j.u, j.m, j.k, j.r, j.d, at FROM judged j WHERE j.refusal IS NULL AND j.old_id IS NULL
  ), numbered AS (
    UPDATE "Channel" ch SET "lastSeq" = n.last, "lastMessageAt" = at FROM (
      SELECT j.c, max(j.last_seq + j.place) AS last FROM judged j WHERE j.refusal IS NULL AND j.old_id IS NULL GROUP BY j.c
    ) n WHERE ch.id = n.c
  )
  SELECT CASE WHEN j.old_id IS NULL THEN j.refusal END, coalesce(j.old_id, j.i), coalesce(j.old_seq, j.last_seq + j.place),
    coalesce(j.old_at, at), j.old_id IS NOT NULL,
    CASE j.refusal WHEN 'muted' THEN ceil(extract(epoch FROM j.muted_until - at) * 1000)::bigint WHEN 'rate_limited' THEN waits[j.ord] END,
    CASE WHEN j.refusal IS NULL AND j.old_id IS NULL THEN direct_told[j.p] END
  FROM judged j ORDER BY j.ord;
  IF is_slow THEN
    INSERT INTO "LastSend" ("channelId", "userId", "sentAt")
      SELECT DISTINCT m."channelId", m."userId", at FROM json_array_elements(messages) b JOIN "Message" m ON m.id = (b ->> 'i')::uuid
      JOIN "Channel" c ON c.id = m."channelId" AND c."slowMode" > 0
      ON CONFLICT ("channelId", "userId") DO UPDATE SET "sentAt" = EXCLUDED."sentAt";
  END IF;
  IF is_direct THEN PERFORM parley_tell_peers(messages, at); END IF;
END $$;

-- [P19] Says whether the channel is visible to this user. Guests (users without email) see no private channel. Only members see a direct
-- channel, and no admin [P47]. The result is never null, because callers negate it.
-- It is PL/pgSQL, which keeps its plan: PostgreSQL would plan a function in SQL anew for each join of a batch.
CREATE OR REPLACE FUNCTION parley_sees(u "User", c "Channel") RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN c."channelType" NOT IN ('private', 'direct') OR (u.role = 'admin' AND c."channelType" <> 'direct') OR (u.email IS NOT NULL AND (
    coalesce(c."createdBy" = u.id, false)
    OR EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = c.id AND m."userId" = u.id)
    OR EXISTS (SELECT FROM "ChannelInvite" i WHERE i."channelId" = c.id AND i."userId" = u.id)));
END $$;

-- [P50] Judges a batch of parley_publish by the slow mode of its channels. Returns, for each message by its position, the milliseconds until
-- its sender may send again, or null for a message that slow mode does not hold back. Of one user's messages in a channel only the first may
-- pass. Moderators are exempt. A message that was stored before under its client id does not count, nor does a reply that is refused [P39].
-- The caller has locked the channels and keeps "LastSend" up to date.
CREATE OR REPLACE FUNCTION parley_slow_mode(senders json, messages json, at timestamptz) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  RETURN (
    WITH slowed AS MATERIALIZED (
      SELECT d.place, d.c, d.u, make_interval(secs => (x.ch)."slowMode") AS pause, last."sentAt" AS sent_at
      FROM ROWS FROM (json_to_recordset(senders) AS (c uuid, u uuid, s uuid)) WITH ORDINALITY AS d (c, u, s, place)
      JOIN LATERAL (SELECT o AS ch FROM "Channel" o WHERE o.id = d.c AND o."slowMode" > 0 LIMIT 1) x ON true
      JOIN LATERAL parley_actor(d.u, d.s) us ON us.id IS NOT NULL
      LEFT JOIN LATERAL (SELECT o."sentAt" FROM "LastSend" o WHERE o."channelId" = d.c AND o."userId" = d.u LIMIT 1) last ON true
      WHERE NOT parley_can_moderate(us, x.ch)
    ), fresh AS (
      SELECT b.ord, s.pause, s.sent_at, row_number() OVER (PARTITION BY s.c, s.u ORDER BY b.ord) AS place
      FROM ROWS FROM (json_to_recordset(messages) AS (p int, k text, r uuid)) WITH ORDINALITY AS b (p, k, r, ord)
      JOIN slowed s ON s.place = b.p
      LEFT JOIN LATERAL (SELECT o.id FROM "Message" o
        WHERE o."channelId" = s.c AND o."userId" = s.u AND o."clientId" = b.k LIMIT 1) old ON b.k IS NOT NULL
      WHERE old.id IS NULL AND (b.r IS NULL OR EXISTS (SELECT FROM parley_takes_reply(s.c, b.r)))
    )
    SELECT array_agg(ceil(extract(epoch FROM CASE
      WHEN f.sent_at + f.pause > at THEN least(f.sent_at + f.pause - at, f.pause)
      WHEN f.place > 1 THEN f.pause
    END) * 1000)::bigint ORDER BY b.ord)
    FROM json_array_elements(messages) WITH ORDINALITY AS b (message, ord) LEFT JOIN fresh f ON f.ord = b.ord);
END $$;

-- [P39] Returns one row if a message of the channel may reply to `target`, else no row: it is a message of the same channel that is not deleted.
-- The function returns a set, which PostgreSQL inlines into the calling statement.
DROP FUNCTION IF EXISTS parley_takes_reply(uuid, uuid);
CREATE OR REPLACE FUNCTION parley_takes_reply(channel uuid, target uuid) RETURNS SETOF boolean LANGUAGE sql STABLE AS $$
  SELECT true FROM "Message" m WHERE m.id = target AND m."channelId" = channel AND m."deletedAt" IS NULL
$$;
