-- [P60] Trigger on "User": records the time of a change that the user's open connections depend on. Every instance polls for such changes.
CREATE OR REPLACE FUNCTION parley_note_user_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."changedAt" := clock_timestamp();
  RETURN NEW;
END $$;
