-- CreateTable
CREATE TABLE `Ship` (
    `id` INTEGER NOT NULL AUTO_INCREMENT,
    `name` VARCHAR(191) NOT NULL,
    `owner` VARCHAR(191) NOT NULL,
    `draught` DECIMAL(4, 2) NOT NULL,

    UNIQUE INDEX `Ship_name_key`(`name`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- CreateTable
CREATE TABLE `Berth` (
    `id` INTEGER NOT NULL AUTO_INCREMENT,
    `quay` VARCHAR(191) NOT NULL,
    `shipId` INTEGER NULL,

    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- AddForeignKey
ALTER TABLE `Berth` ADD CONSTRAINT `Berth_shipId_fkey` FOREIGN KEY (`shipId`) REFERENCES `Ship`(`id`) ON DELETE SET NULL ON UPDATE CASCADE;
