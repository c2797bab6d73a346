-- [P40] Returns the number of different reactions that a message has. It takes one index probe for each of them, however many users reacted.
CREATE OR REPLACE FUNCTION parley_count_reactions(message uuid) RETURNS bigint LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN (
    WITH RECURSIVE found AS (
      (SELECT x.reaction FROM "Reaction" x WHERE x."messageId" = message AND x.current ORDER BY x.reaction LIMIT 1)
      UNION ALL
      SELECT (SELECT x.reaction FROM "Reaction" x
        WHERE x."messageId" = message AND x.current AND x.reaction > f.reaction ORDER BY x.reaction LIMIT 1)
      FROM found f WHERE f.reaction IS NOT NULL
    )
    SELECT count(f.reaction) FROM found f);
END $$;
