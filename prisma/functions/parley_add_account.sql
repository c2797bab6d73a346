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
