-- [P16] Ends one guest. Kept for instances of a release that does not know parley_end_guests.
CREATE OR REPLACE FUNCTION parley_end_guest(guest uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM parley_end_guests(ARRAY[guest]);
END $$;
