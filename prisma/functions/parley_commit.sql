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
