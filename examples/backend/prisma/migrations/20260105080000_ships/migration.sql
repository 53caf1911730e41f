-- CreateTable
CREATE TABLE "Ship" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "Ship_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Ship_name_key" ON "Ship"("name");

-- The ships that the harbour starts with.
INSERT INTO "Ship" ("name") VALUES ('Ark'), ('Beagle'), ('Cutty Sark');
