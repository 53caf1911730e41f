-- CreateTable
CREATE TABLE "Cargo" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "goods" TEXT NOT NULL,
    "tonnes" INTEGER NOT NULL,
    "shipId" INTEGER NOT NULL,
    CONSTRAINT "Cargo_shipId_fkey" FOREIGN KEY ("shipId") REFERENCES "Ship" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE INDEX "Cargo_shipId_idx" ON "Cargo"("shipId");

-- A fleet to look at
INSERT INTO "Ship" ("id", "name") VALUES (1, 'Cutty Sark'), (2, 'Great Eastern');
INSERT INTO "Cargo" ("goods", "tonnes", "shipId") VALUES ('tea', 600, 1), ('cable', 7000, 2);
