-- CreateTable
CREATE TABLE "Voyage" (
    "id" SERIAL NOT NULL,
    "shipId" INTEGER NOT NULL,
    "from" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    "sailsAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Voyage_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Voyage_shipId_idx" ON "Voyage"("shipId");

-- AddForeignKey
ALTER TABLE "Voyage" ADD CONSTRAINT "Voyage_shipId_fkey" FOREIGN KEY ("shipId") REFERENCES "Ship"("id") ON DELETE CASCADE ON UPDATE CASCADE;
