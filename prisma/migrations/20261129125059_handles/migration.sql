-- Returns a text as it is searched and as handles are made of it: without accents and other marks, in small letters, without blanks around it,
-- cut to 64 characters. It gives the same on every server, whatever the locale of the database is: "C" knows only ASCII letters, so the
-- capitals of Latin, Greek, Cyrillic and Armenian that Unicode does not take apart are named here.
CREATE OR REPLACE FUNCTION parley_plain(given text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT left(btrim(replace(replace(replace(replace(
    translate(
      translate(
        lower(regexp_replace(normalize(given, NFKD), '[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]', '', 'g') COLLATE "C"),
        'ÆÐØÞĐĦŁŊŒŦƏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩЂЄЅІЈЉЊЋЏАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯҐҒҖҘҚҠҢҤҪҮҰҲҶҸҺӀӘӨԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ',
        'æðøþđħłŋœŧəαβγδεζηθικλμνξοπρστυφχψωђєѕіјљњћџабвгдежзиклмнопрстуфхцчшщъыьэюяґғҗҙқҡңҥҫүұҳҷҹһӏәөաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ'),
      'ðøđħıłŧς', 'dodhiltσ'),
    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')), 64)
$$;

-- [P65] Returns the handle that a name suggests, whether it is free, long enough and allowed or not.
CREATE OR REPLACE FUNCTION parley_handle_base(given_name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(nullif(rtrim(left(btrim(regexp_replace(parley_plain(given_name), '[^a-z0-9]+', '_', 'g'), '_'), 32), '_'), ''), 'user')
$$;

-- [P65] Says whether anybody may have this handle. Words that name the server, its operators or a whole channel are reserved, also with
-- digits for letters or underscores in between, as in `4dm1n` and `every_one`.
CREATE OR REPLACE FUNCTION parley_may_be_handle(given text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT given ~ '^[a-z0-9][a-z0-9_]{2,31}$' AND translate(given, '013457i_', 'oleastl') NOT IN (
    'admln', 'admlns', 'admlnlstrator', 'all', 'anonymous', 'bot', 'channel', 'deleted', 'deleteduser', 'everybody', 'everyone', 'guest', 'here', 'mod',
    'moderator', 'moderators', 'nobody', 'null', 'offlclal', 'operator', 'owner', 'parley', 'root', 'securlty', 'server', 'staff', 'support',
    'system', 'undeflned', 'webmaster')
$$;

-- [P65] Says whether another user than `taker` had this handle before. It stays theirs, so that nobody can pass for them.
CREATE OR REPLACE FUNCTION parley_is_former_handle(given text, taker uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM "FormerHandle" f WHERE f.hash = sha256(convert_to(given, 'UTF8')) AND f."userId" IS DISTINCT FROM taker)
$$;

-- [P65] Returns a handle for an account with this name that nobody has or had: the name's own one if it is free, otherwise one with a digit
-- at its end, otherwise with some random ones. Only the unique index decides who gets it when two ask at once.
CREATE OR REPLACE FUNCTION parley_free_handle(given_name text) RETURNS text LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  base text := parley_handle_base(given_name);
  chosen text;
  digits text;
BEGIN
  FOR attempt IN 1..17 LOOP
    digits := CASE WHEN attempt = 1 THEN '' WHEN attempt < 10 THEN attempt::text ELSE floor((0.1 + 0.9 * random()) * 10 ^ (attempt - 8))::bigint::text END;
    chosen := left(base, 32 - length(digits)) || digits;
    EXIT WHEN parley_may_be_handle(chosen) AND NOT EXISTS (SELECT FROM "User" u WHERE u.handle = chosen) AND NOT parley_is_former_handle(chosen, NULL);
  END LOOP;
  RETURN chosen;
END $$;

-- Trigger on "User". An account has a handle [P65] and a search name [P46], also if an instance of the previous release made it; guests and
-- erased accounts have neither. A handle that its user gives up is remembered, and open connections learn of the change [P60].
CREATE OR REPLACE FUNCTION parley_note_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.email IS NULL THEN
    NEW.handle := NULL;
    NEW."searchName" := NULL;
  ELSE
    NEW.handle := coalesce(NEW.handle, parley_free_handle(NEW.name));
    NEW."searchName" := parley_plain(NEW.name);
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.handle <> coalesce(NEW.handle, '') THEN
    INSERT INTO "FormerHandle" (hash, "userId") VALUES (sha256(convert_to(OLD.handle, 'UTF8')), OLD.id) ON CONFLICT DO NOTHING;
    NEW."changedAt" := clock_timestamp();
  END IF;
  RETURN NEW;
END $$;

-- [P65] Stores an account with this handle, or if that is null, with one made from the name. Returns null if the handle is taken or reserved.
-- An email that is taken raises `unique_violation`.
CREATE OR REPLACE FUNCTION parley_add_account(new_id uuid, new_email text, new_name text, password_hash text, new_handle text) RETURNS "User"
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  us "User";
  chosen text;
  broken text;
BEGIN
  LOOP
    chosen := coalesce(new_handle, parley_free_handle(new_name));
    IF NOT parley_may_be_handle(chosen) THEN RETURN NULL; END IF;
    BEGIN
      INSERT INTO "User" AS u (id, email, name, "passwordHash", handle) VALUES (new_id, new_email, new_name, password_hash, chosen) RETURNING u.* INTO us;
      -- Only now it is certain that its former owner has it no more: the insertion has waited for them.
      IF parley_is_former_handle(chosen, new_id) THEN RAISE unique_violation USING CONSTRAINT = 'User_handle_key'; END IF;
      RETURN us;
    EXCEPTION WHEN unique_violation THEN
      GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
      IF broken <> 'User_handle_key' THEN RAISE; END IF;
      IF new_handle IS NOT NULL THEN RETURN NULL; END IF;
    END;
  END LOOP;
END $$;

-- [P64] Makes an account. `code_hash` is null where no invitation code is needed; otherwise one use of the code is taken in this statement, and
-- the new user joins its channels, except those that are gone, full or not for users any more. `code` says why nothing was written. An email
-- that is taken already raises `unique_violation`, which also gives the use back. A cap of 0 means no cap. `new_handle` is null where the
-- handle is made from the name [P65]; instances of the previous release never give one.
DROP FUNCTION IF EXISTS parley_register(uuid, text, text, text, bytea, int, int, text);
CREATE OR REPLACE FUNCTION parley_register(new_id uuid, new_email text, new_name text, password_hash text, code_hash bytea, max_channels int,
  max_users int, default_room text, new_handle text DEFAULT NULL)
RETURNS TABLE (code text, created_at timestamptz, handle text) LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  invitation "InvitationCode";
  us "User";
BEGIN
  IF code_hash IS NOT NULL THEN
    -- Registrations with one code wait here for each other, and each sees the uses that are left after the one before it.
    UPDATE "InvitationCode" i SET "usesLeft" = i."usesLeft" - 1
      WHERE i."codeHash" = code_hash AND i."usesLeft" > 0 AND i."expiresAt" > clock_timestamp() RETURNING * INTO invitation;
    IF invitation.id IS NULL THEN
      code := 'invalid_invitation_code';
      RETURN NEXT;
      RETURN;
    END IF;
  END IF;
  us := parley_add_account(new_id, new_email, new_name, password_hash, new_handle);
  IF us.id IS NULL THEN
    code := 'handle_taken';
    UPDATE "InvitationCode" i SET "usesLeft" = i."usesLeft" + 1 WHERE i.id = invitation.id;
    RETURN NEXT;
    RETURN;
  END IF;
  created_at := us."createdAt";
  handle := us.handle;
  PERFORM FROM "Channel" c WHERE c.id = ANY (invitation."channelIds") ORDER BY c.id FOR NO KEY UPDATE;
  WITH joined AS (
    INSERT INTO "ChannelUser" ("channelId", "userId")
    SELECT c.id, new_id FROM "Channel" c
    WHERE c.id = ANY (invitation."channelIds") AND parley_role_fits('user', c."channelType")
      AND (max_users = 0 OR c."userCount" < max_users OR c.name = default_room)
    ORDER BY c.id LIMIT nullif(max_channels, 0)
    RETURNING "channelId"
  )
  UPDATE "Channel" c SET "userCount" = c."userCount" + 1 FROM joined WHERE c.id = joined."channelId";
  RETURN NEXT;
END $$;

-- Changes the acting user's name, their handle or both; null means that it stays. `code` says why nothing changed. A handle may change twice
-- in 30 days [P65].
CREATE OR REPLACE FUNCTION parley_rename(user_id uuid, login uuid, new_name text, new_handle text)
RETURNS TABLE (code text, retry_after_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  us "User";
  at timestamptz;
  free_at timestamptz;
BEGIN
  PERFORM FROM "User" u WHERE u.id = user_id FOR NO KEY UPDATE;
  us := parley_actor(user_id, login);
  at := date_trunc('milliseconds', clock_timestamp());
  free_at := us."handleChanges"[2] + interval '30 days';
  code := CASE
    WHEN us.id IS NULL THEN 'authentication_failed'
    WHEN new_handle IS NULL OR new_handle IS NOT DISTINCT FROM us.handle THEN NULL
    WHEN NOT parley_may_be_handle(new_handle) THEN 'handle_taken'
    WHEN free_at > at THEN 'rate_limited'
  END;
  IF code = 'rate_limited' THEN retry_after_ms := ceil(extract(epoch FROM free_at - at) * 1000)::bigint; END IF;
  IF code IS NULL AND new_handle <> coalesce(us.handle, '') THEN
    BEGIN
      UPDATE "User" u SET handle = new_handle, "handleChanges" = (at || u."handleChanges")[1:2] WHERE u.id = us.id;
      -- Only now it is certain that its former owner has it no more: the update has waited for them.
      IF parley_is_former_handle(new_handle, us.id) THEN RAISE unique_violation; END IF;
    EXCEPTION WHEN unique_violation THEN
      code := 'handle_taken';
    END;
  END IF;
  IF code IS NULL AND new_name IS NOT NULL THEN UPDATE "User" u SET name = new_name WHERE u.id = us.id; END IF;
  RETURN NEXT;
END $$;

-- Each account gets the handle that its name suggests. Accounts with the same suggestion are numbered, the oldest first. A handle that is too
-- short, reserved or another account's gets further digits in the next round.
--
-- Most of the work is done before the table is locked. From then on, accounts are read and messages are stored as ever, but what changes an
-- account (logins, registrations, joins, names) waits: for 300,000 accounts for about 7 seconds on an idle machine. Without the lock, this
-- migration and joins of several users could end each other as a deadlock.
CREATE TABLE "NewHandle" ("userId" uuid PRIMARY KEY, name text NOT NULL, plain text NOT NULL, base text COLLATE "C", handle text COLLATE "C");

DO $$
DECLARE
  round int := 0;
BEGIN
  FOR pass IN 1..2 LOOP
    IF pass = 2 THEN LOCK TABLE "User" IN EXCLUSIVE MODE; END IF;
    INSERT INTO "NewHandle" ("userId", name, plain) SELECT u.id, u.name, parley_plain(u.name) FROM "User" u
      WHERE u.email IS NOT NULL AND NOT EXISTS (SELECT FROM "NewHandle" n WHERE n."userId" = u.id);
    UPDATE "NewHandle" n SET base = parley_handle_base(n.plain) WHERE n.base IS NULL;
    CREATE INDEX IF NOT EXISTS "NewHandle_handle_idx" ON "NewHandle" (handle);
    ANALYZE "NewHandle";
    WHILE EXISTS (SELECT FROM "NewHandle" n WHERE n.handle IS NULL) LOOP
      WITH numbered AS (
        SELECT n."userId", n.base, row_number() OVER (PARTITION BY n.base ORDER BY n."userId") AS number FROM "NewHandle" n WHERE n.handle IS NULL
      ), suffixed AS (
        SELECT n."userId", n.base,
          CASE WHEN round > 0 THEN (10 ^ (round + 1) + n.number)::bigint::text WHEN n.number > 1 THEN n.number::text ELSE '' END AS digits
        FROM numbered n
      ), suggested AS (
        SELECT s."userId", left(s.base, 32 - length(s.digits)) || s.digits AS handle FROM suffixed s
      ), chosen AS (
        SELECT DISTINCT ON (s.handle) s."userId", s.handle FROM suggested s WHERE parley_may_be_handle(s.handle)
          AND NOT EXISTS (SELECT FROM "NewHandle" o WHERE o.handle = s.handle)
        ORDER BY s.handle, s."userId"
      )
      UPDATE "NewHandle" n SET handle = c.handle FROM chosen c WHERE c."userId" = n."userId";
      round := round + 1;
    END LOOP;
  END LOOP;
END $$;

UPDATE "User" u SET handle = n.handle, "searchName" = CASE WHEN u.name = n.name THEN n.plain ELSE parley_plain(u.name) END
  FROM "NewHandle" n WHERE n."userId" = u.id;
DROP TABLE "NewHandle";

-- CreateIndex
CREATE INDEX "User_searchName_id_idx" ON "User"("searchName", "id") WHERE ("searchName" IS NOT NULL);

-- CreateIndex
CREATE UNIQUE INDEX "User_handle_key" ON "User"("handle") WHERE (handle IS NOT NULL);

-- A trigger, so that no statement can forget it, nor one of an instance of the release before this one.
CREATE TRIGGER note_names BEFORE INSERT OR UPDATE OF name, email, handle ON "User" FOR EACH ROW EXECUTE FUNCTION parley_note_names();
