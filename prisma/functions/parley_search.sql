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
