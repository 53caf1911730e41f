-- CreateTable
CREATE TABLE "LoadLine" (
    "shipId" INTEGER NOT NULL,
    "centimetres" INTEGER NOT NULL,

    CONSTRAINT "LoadLine_pkey" PRIMARY KEY ("shipId")
);

-- AddForeignKey
ALTER TABLE "LoadLine" ADD CONSTRAINT "LoadLine_shipId_fkey" FOREIGN KEY ("shipId") REFERENCES "Ship"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Every ship has a line from now on.
INSERT INTO "LoadLine" ("shipId", "centimetres") SELECT "id", 400 FROM "Ship";
