-- CreateTable
CREATE TABLE "SearchEntry" (
    "channelId" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "place" BIGINT NOT NULL,
    "words" tsvector NOT NULL,

    CONSTRAINT "SearchEntry_pkey" PRIMARY KEY ("channelId","seq")
);

-- CreateTable
CREATE TABLE "SearchPosition" (
    "channelId" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "turn" BIGINT NOT NULL,

    CONSTRAINT "SearchPosition_pkey" PRIMARY KEY ("channelId")
);

-- CreateTable
CREATE TABLE "SearchState" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "nextPlace" BIGINT NOT NULL DEFAULT 0,
    "lastPlace" BIGINT NOT NULL DEFAULT 0,
    "turn" BIGINT NOT NULL DEFAULT 0,
    "backfill" UUID,

    CONSTRAINT "SearchState_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
-- Every step of a search reads the list of pending entries, so the list is kept short. Without any, adding an entry would take 60 % more CPU.
CREATE INDEX "SearchEntry_words_idx" ON "SearchEntry" USING GIN ("words") WITH (fastupdate = on, gin_pending_list_limit = 256);

-- The running server adds the messages that are there already, the newest first: a few thousand a second. Nothing waits for it.
INSERT INTO "SearchState" ("backfill") VALUES ('ffffffff-ffff-ffff-ffff-ffffffffffff');
INSERT INTO "SearchPosition" SELECT id, "lastSeq", 0 FROM "Channel" WHERE "lastSeq" > 0;

-- Says whether admins may read channels of this type without being members. The type is compared as text, and a type that is not listed is
-- not theirs to read, so that a new type is hidden from them until somebody decides otherwise.
CREATE OR REPLACE FUNCTION parley_admins_see(type "ChannelType") RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT type::text IN ('public', 'private', 'admin', 'moderator')
$$;

-- [P70] Returns what the search index keeps of a message: its words, and words of our own that begin with a space, which no text and no
-- query can contain: the block of 8,192 places that the message's place is in, the large block of 131,072, the channel, and for channels
-- that admins see ` admins`.
-- A text of more than 100,000 characters is found by its beginning, because PostgreSQL limits the size of such a value to 1 MiB.
CREATE OR REPLACE FUNCTION parley_search_words(place bigint, channel uuid, type "ChannelType", content text)
RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT array_to_tsvector(ARRAY[' block ' || (place >> 13), ' large ' || (place >> 17), ' ' || channel]
      || CASE WHEN parley_admins_see(type) THEN ARRAY[' admins'] ELSE '{}' END)
    || to_tsvector('simple', left(content, 100000))
$$;

-- [P70] Brings the search index up to date by one batch: up to `most` entries that channels have got since the batch before, and while
-- the messages from before the index existed are not all in it, up to `most` of those, the newest first. Returns how many entries it has
-- looked at; 0 means that nothing is left, or that another instance is at it. Without entries, it writes nothing.
-- Each message has a place: new ones get rising places, old ones falling places, so that the order of places is the order of messages. Only
-- one batch is under way at a time, so places are visible in their order, too.
-- The settings make PostgreSQL read a channel's entries in the order of the index, however many there are.
CREATE OR REPLACE FUNCTION parley_index_messages(most int) RETURNS int LANGUAGE plpgsql VOLATILE
SET enable_bitmapscan = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  st "SearchState";
  looked int;
  added int;
  page uuid[];
BEGIN
  -- parley_forget_words takes the same lock.
  IF NOT pg_try_advisory_xact_lock(7275396, hashtext(current_schema())) THEN RETURN 0; END IF;
  SELECT * INTO st FROM "SearchState";

  -- One snapshot for all of it: a channel's entries up to its lastSeq are complete in it.
  WITH lag AS MATERIALIZED (
    SELECT c.id, c."channelType" AS type, c."lastSeq" AS last, coalesce(p.seq, 0) AS done
    FROM "Channel" c LEFT JOIN "SearchPosition" p ON p."channelId" = c.id
    WHERE c."lastSeq" > coalesce(p.seq, 0) ORDER BY p.turn NULLS FIRST LIMIT greatest(most / 10, 20)
  ), share AS MATERIALIZED (
    SELECT greatest(most / greatest(count(*), 1), 1) AS most FROM lag
  ), entry AS MATERIALIZED (
    SELECT l.id AS channel, l.type, e.seq, e.message, e.is_new FROM lag l CROSS JOIN LATERAL (
      SELECT x.* FROM (
        (SELECT m.seq, m.id AS message, true AS is_new FROM "Message" m WHERE m."channelId" = l.id AND m.seq > l.done
          ORDER BY m.seq LIMIT (SELECT s.most FROM share s))
        UNION ALL
        (SELECT c.seq, c."messageId", false FROM "MessageChange" c WHERE c."channelId" = l.id AND c.seq > l.done
          ORDER BY c.seq LIMIT (SELECT s.most FROM share s))
      ) x ORDER BY x.seq LIMIT (SELECT s.most FROM share s)) e
  ), moved AS (
    INSERT INTO "SearchPosition" ("channelId", seq, turn)
      SELECT l.id, CASE WHEN count(e.seq) < s.most THEN l.last ELSE max(e.seq) END, st.turn + 1
      FROM lag l CROSS JOIN share s LEFT JOIN entry e ON e.channel = l.id GROUP BY l.id, l.last, s.most
      ON CONFLICT ("channelId") DO UPDATE SET seq = EXCLUDED.seq, turn = EXCLUDED.turn
  ), inserted AS (
    INSERT INTO "SearchEntry" ("channelId", seq, place, words)
      SELECT n.channel, n.seq, n.place, parley_search_words(n.place, n.channel, n.type, n.content) FROM (
        SELECT e.channel, e.type, e.seq, m.content, st."nextPlace" - 1 + row_number() OVER (ORDER BY e.message) AS place
        FROM entry e CROSS JOIN LATERAL (SELECT x.content FROM "Message" x
          WHERE x."channelId" = e.channel AND x.seq = e.seq AND x."deletedAt" IS NULL LIMIT 1) m WHERE e.is_new) n
      ON CONFLICT ("channelId", seq) DO NOTHING RETURNING 1
  ), changed AS MATERIALIZED (
    SELECT DISTINCT ON (e.message) e.channel, e.type, m.seq, m.content, m."deletedAt" IS NOT NULL AS is_gone
    FROM entry e CROSS JOIN LATERAL (SELECT * FROM "Message" x WHERE x.id = e.message LIMIT 1) m WHERE NOT e.is_new
  ), edited AS (
    UPDATE "SearchEntry" o SET words = parley_search_words(o.place, c.channel, c.type, c.content)
      FROM changed c WHERE NOT c.is_gone AND o."channelId" = c.channel AND o.seq = c.seq
  ), deleted AS (
    DELETE FROM "SearchEntry" o USING changed c WHERE c.is_gone AND o."channelId" = c.channel AND o.seq = c.seq
  )
  SELECT (SELECT count(*) FROM lag) + (SELECT count(*) FROM entry), (SELECT count(*) FROM inserted) INTO looked, added;
  st."nextPlace" := st."nextPlace" + added;

  IF st.backfill IS NOT NULL THEN
    page := ARRAY(SELECT m.id FROM "Message" m WHERE m.id < st.backfill ORDER BY m.id DESC LIMIT most);
    INSERT INTO "SearchEntry" ("channelId", seq, place, words)
      SELECT n."channelId", n.seq, n.place, parley_search_words(n.place, n."channelId", n.type, n.content) FROM (
        SELECT m."channelId", m.seq, m.content, c.type, st."lastPlace" - g.nr AS place
        FROM unnest(page) WITH ORDINALITY AS g (id, nr)
        CROSS JOIN LATERAL (SELECT * FROM "Message" x WHERE x.id = g.id AND x."deletedAt" IS NULL LIMIT 1) m
        -- Entries after the channel's position are new: they get a place above.
        CROSS JOIN LATERAL (SELECT true FROM "SearchPosition" x WHERE x."channelId" = m."channelId" AND x.seq >= m.seq LIMIT 1) p
        CROSS JOIN LATERAL (SELECT x."channelType" AS type FROM "Channel" x WHERE x.id = m."channelId" LIMIT 1) c) n
      ON CONFLICT ("channelId", seq) DO NOTHING;
    st."lastPlace" := st."lastPlace" - cardinality(page);
    st.backfill := page[cardinality(page)];
    looked := looked + cardinality(page);
  END IF;
  UPDATE "SearchState" s SET "nextPlace" = st."nextPlace", "lastPlace" = st."lastPlace", backfill = st.backfill, turn = st.turn + 1
    WHERE looked > 0 OR s.backfill IS DISTINCT FROM st.backfill;
  RETURN looked;
END $$;

-- [P70] Searches the texts of messages, newest first: `query` as web searches write it, in one channel or in all, below the place `below`.
-- `as_admin` searches all channels that admins see; else those that the user is a member of and may read. Returns an error code; or up to
-- `most` rows, each a message with its place; or, if `budget` milliseconds are over before the end, with a last row without a message, from
-- whose place the search goes on.
-- The first steps look into the two newest blocks of places (one may have only just begun), where common words are found. The further steps
-- look into large blocks, which takes few reads for rare words. So the work depends on what is found much more than on how many messages there are.
CREATE OR REPLACE FUNCTION parley_search(
  user_id uuid, login uuid, as_admin boolean, channel_name text, query text, below bigint, most int, budget int)
RETURNS TABLE (code text, place bigint, channel_id uuid, seq bigint) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off AS $$
DECLARE
  us "User";
  ch "Channel";
  st "SearchState";
  channels uuid[];
  wanted tsquery := websearch_to_tsquery('simple', query);
  scope tsquery := ''' admins''';
  step tsquery;
  until timestamptz := clock_timestamp() + budget * interval '1 millisecond';
  top bigint;
  bits int;
  blocks int := 0;
  hits int;
  found int := 0;
  hit record;
BEGIN
  us := parley_actor(user_id, login);
  SELECT * INTO ch FROM "Channel" c WHERE c.name = channel_name;
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN as_admin AND us.role <> 'admin' THEN 'not_authorized'
    WHEN channel_name IS NULL THEN NULL
    WHEN ch.id IS NULL OR NOT parley_sees(us, ch) OR (as_admin AND NOT parley_admins_see(ch."channelType")) THEN 'channel_not_found'
    WHEN as_admin THEN NULL
    WHEN NOT parley_role_fits(us.role, ch."channelType") THEN 'not_authorized'
    WHEN EXISTS (SELECT FROM "ChannelBan" b WHERE b."channelId" = ch.id AND b."userId" = us.id
      AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp())) THEN 'banned'
    WHEN NOT EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = ch.id AND m."userId" = us.id) THEN 'not_in_channel'
  END;
  IF code IS NOT NULL THEN RETURN NEXT; RETURN; END IF;

  IF ch.id IS NOT NULL THEN
    channels := ARRAY[ch.id];
  ELSIF NOT as_admin THEN
    -- `LIMIT 1` makes the planner use one index probe per channel, whatever sizes it assumes for the tables.
    channels := ARRAY(SELECT c.id FROM "ChannelUser" m
      CROSS JOIN LATERAL (SELECT * FROM "Channel" x WHERE x.id = m."channelId" LIMIT 1) c
      WHERE m."userId" = us.id AND parley_role_fits(us.role, c."channelType") AND (
        SELECT true FROM "ChannelBan" b WHERE b."channelId" = m."channelId" AND b."userId" = us.id
          AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp()) LIMIT 1) IS NULL);
  END IF;
  IF numnode(wanted) = 0 OR cardinality(channels) = 0 THEN RETURN; END IF;
  IF channels IS NOT NULL THEN
    scope := (SELECT string_agg(''' ' || c || '''', '|') FROM unnest(channels) c)::tsquery;
  END IF;

  SELECT * INTO st FROM "SearchState";
  top := least(below, st."nextPlace");
  WHILE top > st."lastPlace" LOOP
    bits := CASE WHEN blocks < 2 THEN 13 ELSE 17 END;
    step := wanted && scope && format(''' %s %s''', CASE bits WHEN 13 THEN 'block' ELSE 'large' END, (top - 1) >> bits)::tsquery;
    hits := 0;
    FOR hit IN
      SELECT f.place, f."channelId", f.seq, m.content, m."editedAt" IS NOT NULL AS edited
      FROM (SELECT e.place, e."channelId", e.seq FROM "SearchEntry" e
        WHERE e.words @@ step AND e.place < top ORDER BY e.place DESC LIMIT most) f
      LEFT JOIN LATERAL (SELECT * FROM "Message" x
        WHERE x."channelId" = f."channelId" AND x.seq = f.seq AND x."deletedAt" IS NULL AND EXISTS (SELECT FROM "Channel" c
          WHERE c.id = x."channelId" AND (NOT as_admin OR parley_admins_see(c."channelType"))) LIMIT 1) m ON true
      ORDER BY f.place DESC
    LOOP
      hits := hits + 1;
      place := hit.place; channel_id := hit."channelId"; seq := hit.seq;
      -- The index may be some seconds behind deletions and edits, and a deleted channel's messages are purged later.
      CONTINUE WHEN hit.content IS NULL OR (hit.edited AND NOT to_tsvector('simple', left(hit.content, 100000)) @@ wanted);
      RETURN NEXT;
      found := found + 1;
      IF found = most THEN RETURN; END IF;
    END LOOP;
    IF hits = most THEN
      top := place;
    ELSE
      top := (top - 1) >> bits << bits;
      blocks := blocks + 1;
    END IF;
    IF clock_timestamp() > until AND top > st."lastPlace" THEN
      place := top; channel_id := NULL; seq := NULL;
      RETURN NEXT;
      RETURN;
    END IF;
  END LOOP;
END $$;

-- [P70] Removes from the search index what has been removed from Message, and with the last messages of a deleted channel its position.
-- The lock waits for a batch of parley_index_messages that may be adding the same messages, and keeps the next one away.
CREATE OR REPLACE FUNCTION parley_forget_words() RETURNS trigger LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7275396, hashtext(current_schema()));
  DELETE FROM "SearchEntry" e USING gone g WHERE e."channelId" = g."channelId" AND e.seq = g.seq;
  DELETE FROM "SearchPosition" p USING (SELECT DISTINCT g."channelId" AS id FROM gone g) g
    WHERE p."channelId" = g.id AND NOT EXISTS (SELECT FROM "Channel" c WHERE c.id = g.id);
  RETURN NULL;
END $$;

-- Takes a lock on Message that lets nobody write until the commit, which follows at once.
CREATE TRIGGER forget_words AFTER DELETE ON "Message" REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION parley_forget_words();
