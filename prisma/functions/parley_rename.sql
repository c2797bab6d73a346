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
