-- [P49] Removes from reports what an erased user wrote: the copies of their messages, and the reasons of their own reports.
-- The reports are locked in the order of their ids, because two users who are erased at once may have reported each other.
CREATE OR REPLACE FUNCTION parley_erase_from_reports(erased uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM "Report" r WHERE r."authorId" = erased OR r."reporterId" = erased ORDER BY r.id FOR NO KEY UPDATE;
  UPDATE "Report" r SET content = NULL, data = NULL WHERE r."authorId" = erased;
  UPDATE "Report" r SET reason = NULL WHERE r."reporterId" = erased;
END $$;
