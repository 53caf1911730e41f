-- CreateTable
CREATE TABLE "Weather" (
    "entryId" INTEGER NOT NULL PRIMARY KEY,
    "beaufort" INTEGER NOT NULL,
    CONSTRAINT "Weather_entryId_fkey" FOREIGN KEY ("entryId") REFERENCES "Entry" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

INSERT INTO "Weather" ("entryId", "beaufort") SELECT "id", 4 FROM "Entry";
