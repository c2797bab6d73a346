-- Columns without values, so that the table is locked for a moment only. The next migration fills them. The collation "C" lets an index find
-- prefixes, whatever the locale of the database is.
ALTER TABLE "User" ADD COLUMN     "handle" TEXT COLLATE "C",
ADD COLUMN     "handleChanges" TIMESTAMPTZ(3)[],
ADD COLUMN     "searchName" TEXT COLLATE "C";

-- CreateTable
CREATE TABLE "FormerHandle" (
    "hash" BYTEA NOT NULL,
    "userId" UUID NOT NULL,

    CONSTRAINT "FormerHandle_pkey" PRIMARY KEY ("hash")
);
