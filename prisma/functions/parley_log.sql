-- Adds a line to the moderation log. If `log_id` is null, the line gets a new id.
CREATE OR REPLACE FUNCTION parley_log(actor uuid, act text, target uuid, ch "Channel", why text, until timestamptz, log_id uuid)
RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO "ModerationLog" (id, "actorId", action, "targetId", "channelId", "channelName", reason, "expiresAt", "createdAt")
  VALUES (coalesce(log_id, parley_new_id()), actor, act, target, ch.id, ch.name, why, until, clock_timestamp())
$$;
