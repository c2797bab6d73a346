-- CreateTable
CREATE TABLE "ReadStart" (
    "channelId" UUID NOT NULL,
    "seq" BIGINT NOT NULL,

    CONSTRAINT "ReadStart_pkey" PRIMARY KEY ("channelId")
);

-- Members of this moment have read what their channels hold [P43]. This migration is apart from the next one, so that it locks nothing while it
-- reads the channels, and the next one writes to no row.
INSERT INTO "ReadStart" ("channelId", seq) SELECT id, "lastSeq" FROM "Channel" WHERE "lastSeq" > 0;
