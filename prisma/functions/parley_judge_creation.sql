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
