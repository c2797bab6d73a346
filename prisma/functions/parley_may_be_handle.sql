-- [P65] Says whether anybody may have this handle. Words that name the server, its operators or a whole channel are reserved, also with
-- digits for letters or underscores in between, as in `4dm1n` and `every_one`.
CREATE OR REPLACE FUNCTION parley_may_be_handle(given text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT given ~ '^[a-z0-9][a-z0-9_]{2,31}$' AND translate(given, '013457i_', 'oleastl') NOT IN (
    'admln', 'admlns', 'admlnlstrator', 'all', 'anonymous', 'bot', 'channel', 'deleted', 'deleteduser', 'everybody', 'everyone', 'guest', 'here', 'mod',
    'moderator', 'moderators', 'nobody', 'null', 'offlclal', 'operator', 'owner', 'parley', 'root', 'securlty', 'server', 'staff', 'support',
    'system', 'undeflned', 'webmaster')
$$;
