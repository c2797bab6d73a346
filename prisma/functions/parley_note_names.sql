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
