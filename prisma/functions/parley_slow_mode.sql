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
