-- RedefineTables: the way Prisma changes a table in SQLite. The rows of "Cargo" have to survive it.
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_Ship" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "loadLine" INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "new_Ship" ("id", "name") SELECT "id", "name" FROM "Ship";
DROP TABLE "Ship";
ALTER TABLE "new_Ship" RENAME TO "Ship";
CREATE UNIQUE INDEX "Ship_name_key" ON "Ship"("name");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;
