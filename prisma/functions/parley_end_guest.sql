-- [P16] Ends one guest with the connection. For instances of the release before parley_end_guests.
CREATE OR REPLACE FUNCTION parley_end_guest(guest uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM parley_end_guests(ARRAY[guest]);
END $$;
