-- [P70] Returns what the search index keeps of a message: its words, and words of our own that begin with a space, which no text and no
-- query can contain: the block of 8,192 places that the message's place is in, the large block of 131,072, the channel, and for channels
-- that admins see ` admins`.
-- A text of more than 100,000 characters is found by its beginning, because PostgreSQL limits the size of such a value to 1 MiB.
CREATE OR REPLACE FUNCTION parley_search_words(place bigint, channel uuid, type "ChannelType", content text)
RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT array_to_tsvector(ARRAY[' block ' || (place >> 13), ' large ' || (place >> 17), ' ' || channel]
      || CASE WHEN parley_admins_see(type) THEN ARRAY[' admins'] ELSE '{}' END)
    || to_tsvector('simple', left(content, 100000))
$$;
