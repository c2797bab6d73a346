-- [P60] Notes when anything changed that the user's open connections depend on: every instance looks for it.
CREATE OR REPLACE FUNCTION parley_note_user_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."changedAt" := clock_timestamp();
  RETURN NEW;
END $$;
