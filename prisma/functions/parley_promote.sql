-- Makes an account an admin on behalf of the operator, who knows its password. Returns false if its hash is no longer `password_hash`.
CREATE OR REPLACE FUNCTION parley_promote(target_id uuid, password_hash text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  target "User";
  nowhere "Channel";
BEGIN
  SELECT * INTO target FROM "User" u WHERE u.id = target_id AND u."passwordHash" = password_hash FOR NO KEY UPDATE;
  IF target.id IS NULL THEN RETURN false; END IF;
  IF target.role <> 'admin' THEN
    UPDATE "User" u SET role = 'admin' WHERE u.id = target.id;
    PERFORM parley_log(NULL, 'set_role_admin', target.id, nowhere, NULL, NULL, NULL);
  END IF;
  RETURN true;
END $$;
