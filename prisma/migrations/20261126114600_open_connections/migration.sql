-- AlterTable
ALTER TABLE "User" ADD COLUMN     "changedAt" TIMESTAMPTZ(3),
ADD COLUMN     "disconnects" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "instanceId" UUID;

-- CreateTable
CREATE TABLE "Instance" (
    "id" UUID NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Instance_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Instance_expiresAt_idx" ON "Instance"("expiresAt");

-- CreateIndex
CREATE INDEX "User_changedAt_idx" ON "User"("changedAt");

-- CreateIndex
CREATE INDEX "User_instanceId_idx" ON "User"("instanceId") WHERE ("instanceId" IS NOT NULL AND "disabledAt" IS NULL);

-- [P16] Makes a guest of this instance. The guest must not outlive the instance unnoticed, so the instance has a lease, and not one
-- that is about to run out: after a long pause of the whole process the others may have taken it away.
CREATE OR REPLACE FUNCTION parley_admit_guest(guest uuid, guest_name text, instance uuid, seconds double precision) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM "Instance" i WHERE i.id = instance AND i."expiresAt" > clock_timestamp() + make_interval(secs => seconds / 2)) THEN
    PERFORM parley_renew_lease(instance, seconds);
  END IF;
  INSERT INTO "User" (id, name, "instanceId") VALUES (guest, guest_name, instance);
END $$;

-- [P16] Ends one guest with the connection. For instances of the release before parley_end_guests.
CREATE OR REPLACE FUNCTION parley_end_guest(guest uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM parley_end_guests(ARRAY[guest]);
END $$;

-- [P16] Ends guests whose connections are gone: their memberships, and the guests themselves. Anyone else's id has no effect.
CREATE OR REPLACE FUNCTION parley_end_guests(guests uuid[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM "User" u WHERE u.id = ANY (guests) ORDER BY u.id FOR NO KEY UPDATE;
  PERFORM FROM "Channel" c
    WHERE c.id IN (SELECT m."channelId" FROM "ChannelUser" m WHERE m."userId" = ANY (guests)) ORDER BY c.id FOR NO KEY UPDATE;
  WITH gone AS (
    DELETE FROM "ChannelUser" m USING "User" u
      WHERE m."userId" = ANY (guests) AND u.id = m."userId" AND u.email IS NULL RETURNING m."channelId"
  ), counted AS (
    SELECT gone."channelId", count(*)::int AS members FROM gone GROUP BY gone."channelId"
  ) UPDATE "Channel" c SET "userCount" = c."userCount" - counted.members FROM counted WHERE c.id = counted."channelId";
  UPDATE "User" u SET "disabledAt" = clock_timestamp() WHERE u.id = ANY (guests) AND u.email IS NULL AND u."disabledAt" IS NULL;
END $$;

-- [P60] Ends up to `most` guests of one instance whose lease has run out, or takes the instance off the list where it has none left.
-- False where every instance is alive, or another one is clearing up the rest.
CREATE OR REPLACE FUNCTION parley_end_lost_guests(most int) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  dead uuid;
  guests uuid[];
BEGIN
  SELECT i.id INTO dead FROM "Instance" i WHERE i."expiresAt" < clock_timestamp() ORDER BY i."expiresAt" LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF dead IS NULL THEN RETURN false; END IF;
  guests := ARRAY(SELECT u.id FROM "User" u WHERE u."instanceId" = dead AND u."disabledAt" IS NULL LIMIT most);
  IF cardinality(guests) = 0 THEN
    DELETE FROM "Instance" i WHERE i.id = dead;
  ELSE
    PERFORM parley_end_guests(guests);
  END IF;
  RETURN true;
END $$;

-- [P55] Judges and logs an act of an admin: announce, or disconnect_user with its target, which every instance looks for in the count of
-- the user's disconnects [P60]. Null, or the code that says why not.
CREATE OR REPLACE FUNCTION parley_log_admin_act(actor_id uuid, login uuid, act text, target_id uuid, log_id uuid)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  refusal text;
  nowhere "Channel";
BEGIN
  PERFORM FROM "User" u WHERE u.id IN (actor_id, target_id) ORDER BY u.id FOR NO KEY UPDATE;
  refusal := parley_judge_admin(actor_id, login);
  IF refusal IS NOT NULL THEN RETURN refusal; END IF;
  IF target_id IS NOT NULL AND NOT EXISTS (SELECT FROM "User" u WHERE u.id = target_id AND u.email IS NOT NULL) THEN RETURN 'user_not_found'; END IF;
  IF act = 'disconnect_user' THEN
    UPDATE "User" u SET disconnects = u.disconnects + 1 WHERE u.id = target_id;
  END IF;
  PERFORM parley_log(actor_id, act, target_id, nowhere, NULL, NULL, log_id);
  RETURN NULL;
END $$;

-- [P60] Notes when anything changed that the user's open connections depend on: every instance looks for it.
CREATE OR REPLACE FUNCTION parley_note_user_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."changedAt" := clock_timestamp();
  RETURN NEW;
END $$;

-- [P60] The instance is alive, and counts as alive for so many seconds more.
CREATE OR REPLACE FUNCTION parley_renew_lease(instance uuid, seconds double precision) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO "Instance" (id, "expiresAt") VALUES (instance, clock_timestamp() + make_interval(secs => seconds))
    ON CONFLICT (id) DO UPDATE SET "expiresAt" = EXCLUDED."expiresAt"
$$;

-- A trigger, so that no statement that changes a user can forget it, nor one of an instance of the release before this one.
CREATE TRIGGER note_change BEFORE UPDATE OF name, role, "disabledAt", disconnects ON "User" FOR EACH ROW
  WHEN ((OLD.name, OLD.role, OLD."disabledAt", OLD.disconnects) IS DISTINCT FROM (NEW.name, NEW.role, NEW."disabledAt", NEW.disconnects))
  EXECUTE FUNCTION parley_note_user_change();

-- Guests of before have no instance. Those who are still there after an hour, when every instance of that release has been replaced, are
-- guests whose instance was killed: they end as such.
INSERT INTO "Instance" (id, "expiresAt") SELECT '00000000-0000-0000-0000-000000000000', clock_timestamp() + interval '1 hour'
  WHERE EXISTS (SELECT FROM "User" u WHERE u.email IS NULL AND u."disabledAt" IS NULL);
UPDATE "User" u SET "instanceId" = '00000000-0000-0000-0000-000000000000' WHERE u.email IS NULL AND u."disabledAt" IS NULL;
