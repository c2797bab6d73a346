-- Stores a code of a user, who is locked, for `lifetime` seconds, in place of the one before it of the same kind. Returns when it expires.
CREATE OR REPLACE FUNCTION parley_store_code(owner uuid, code_kind "CodeKind", code_hash bytea, lifetime int) RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
  INSERT INTO "AccountCode" ("userId", kind, "codeHash", "expiresAt")
  VALUES (owner, code_kind, code_hash, clock_timestamp() + make_interval(secs => lifetime))
  ON CONFLICT ("userId", kind) DO UPDATE SET "codeHash" = EXCLUDED."codeHash", "expiresAt" = EXCLUDED."expiresAt"
  RETURNING "expiresAt"
$$;
