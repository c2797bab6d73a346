-- [P43] Trigger on "ChannelUser": a new member has read everything that is in the channel already. Whoever makes members has locked the channel
-- or has just made it, so `lastSeq` is that of the moment at which the membership begins.
CREATE OR REPLACE FUNCTION parley_begin_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."readSeq" := coalesce(NEW."readSeq", (SELECT c."lastSeq" FROM "Channel" c WHERE c.id = NEW."channelId"));
  RETURN NEW;
END $$;
