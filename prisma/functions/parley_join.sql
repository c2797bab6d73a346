-- [P18]–[P22] Makes users members of channels, by name.
-- batch: [{u: user id, s: login, n: channel name, i: id for the channel if it is to be made}, …]. A cap of 0 is none.
-- One row per join, in order: a code, or the channel as it was at that moment.
CREATE OR REPLACE FUNCTION parley_join(batch json, max_channels int, max_users int, default_room text, create_missing boolean)
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
    FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    LEFT JOIN "User" u ON u.id = b.u AND u."disabledAt" IS NULL AND parley_login_is_live(u.*, b.s)
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
      FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
      JOIN "User" u ON u.id = b.u AND u."disabledAt" IS NULL AND parley_login_is_live(u.*, b.s)
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
    SELECT b.* FROM ROWS FROM (json_to_recordset(batch) AS (u uuid, s uuid, n text, i uuid)) WITH ORDINALITY AS b (u, s, n, i, ord)
    WHERE b.ord = ANY (todo) ORDER BY b.ord
  LOOP
    us := parley_actor(item.u, item.s);
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
