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
