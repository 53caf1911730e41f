-- Owners get a table of their own. Tables and rows are changed by turns, and MySQL commits each change of a table by itself:
-- wherever a runner is killed in here, the next one carries on at that statement.
CREATE TABLE `Owner` (
    `id` INTEGER NOT NULL AUTO_INCREMENT,
    `name` VARCHAR(191) NOT NULL,

    UNIQUE INDEX `Owner_name_key`(`name`),
    PRIMARY KEY (`id`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
INSERT INTO `Owner` (`name`) SELECT DISTINCT `owner` FROM `Ship` ORDER BY `owner`;
ALTER TABLE `Ship` ADD COLUMN `ownerId` INTEGER NULL;
UPDATE `Ship` JOIN `Owner` ON `Owner`.`name` = `Ship`.`owner` SET `Ship`.`ownerId` = `Owner`.`id`;
ALTER TABLE `Ship` MODIFY `ownerId` INTEGER NOT NULL;
ALTER TABLE `Ship` ADD CONSTRAINT `Ship_ownerId_fkey` FOREIGN KEY (`ownerId`) REFERENCES `Owner`(`id`) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE `Ship` DROP COLUMN `owner`;
ALTER TABLE `Berth` ADD COLUMN `depth` DECIMAL(4, 2) NOT NULL DEFAULT 0;
-- Two metres of water under the keel. Doing it twice would make it four.
UPDATE `Berth` JOIN `Ship` ON `Ship`.`id` = `Berth`.`shipId` SET `Berth`.`depth` = `Berth`.`depth` + `Ship`.`draught` + 2;
CREATE INDEX `Ship_draught_idx` ON `Ship`(`draught`);
