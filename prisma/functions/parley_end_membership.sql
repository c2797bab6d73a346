-- Ends one membership. `ended` is false if there was none. The caller has locked the channel.
CREATE OR REPLACE FUNCTION parley_end_membership(channel uuid, member uuid, OUT acl_version bigint, OUT ended boolean) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  DELETE FROM "ChannelUser" m WHERE m."channelId" = channel AND m."userId" = member;
  ended := FOUND;
  UPDATE "Channel" c SET "userCount" = c."userCount" - ended::int, "aclVersion" = c."aclVersion" + ended::int
    WHERE c.id = channel RETURNING c."aclVersion" INTO acl_version;
END $$;
