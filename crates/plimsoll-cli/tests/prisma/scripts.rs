//! The migrations that the transcripts were recorded with.

use crate::scenario::World;

pub(crate) const INIT: &str = "20240101000000_init";
pub(crate) const ADD_NAME: &str = "20240102000000_add_name";
pub(crate) const ADD_POST: &str = "20240103000000_add_post";
pub(crate) const BAD: &str = "20240104000000_bad";
pub(crate) const AFTER: &str = "20240105000000_after";

/// The names of the first three, which succeed.
pub(crate) const THREE: [&str; 3] = [INIT, ADD_NAME, ADD_POST];

pub(crate) const ADD_NAME_SCRIPT: &str = "-- AlterTable\nALTER TABLE \"User\" ADD COLUMN \"name\" TEXT;\n";
pub(crate) const NOTHING_SCRIPT: &str = "-- nothing\n";
/// The second of three statements fails.
pub(crate) const BAD_SCRIPT: &str = "CREATE TABLE \"Ok\" (\"id\" INTEGER NOT NULL);\n\
    ALTER TABLE \"Nope\" ADD COLUMN \"x\" INTEGER;\n\
    CREATE TABLE \"Never\" (\"id\" INTEGER NOT NULL);\n";
/// The same after somebody has corrected it.
pub(crate) const FIXED_SCRIPT: &str = "CREATE TABLE \"Ok\" (\"id\" INTEGER NOT NULL);\n";
pub(crate) const AFTER_SCRIPT: &str = "CREATE TABLE \"After\" (\"id\" INTEGER NOT NULL);\n";

const INIT_POSTGRES: &str = "-- CreateTable\nCREATE TABLE \"User\" (\n    \"id\" SERIAL NOT NULL,\n    \
    \"email\" TEXT NOT NULL,\n\n    CONSTRAINT \"User_pkey\" PRIMARY KEY (\"id\")\n);\n\n\
    -- CreateIndex\nCREATE UNIQUE INDEX \"User_email_key\" ON \"User\"(\"email\");\n";
const INIT_SQLITE: &str = "-- CreateTable\nCREATE TABLE \"User\" (\n    \
    \"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n    \"email\" TEXT NOT NULL\n);\n\n\
    -- CreateIndex\nCREATE UNIQUE INDEX \"User_email_key\" ON \"User\"(\"email\");\n";
const ADD_POST_POSTGRES: &str = "-- CreateTable\nCREATE TABLE \"Post\" (\n    \"id\" SERIAL NOT NULL,\n    \
    \"title\" TEXT NOT NULL,\n    \"authorId\" INTEGER NOT NULL,\n\n    \
    CONSTRAINT \"Post_pkey\" PRIMARY KEY (\"id\")\n);\n\n\
    -- AddForeignKey\nALTER TABLE \"Post\" ADD CONSTRAINT \"Post_authorId_fkey\" FOREIGN KEY (\"authorId\") \
    REFERENCES \"User\"(\"id\") ON DELETE RESTRICT ON UPDATE CASCADE;\n";
const ADD_POST_SQLITE: &str = "-- CreateTable\nCREATE TABLE \"Post\" (\n    \
    \"id\" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n    \"title\" TEXT NOT NULL,\n    \
    \"authorId\" INTEGER NOT NULL,\n    \
    CONSTRAINT \"Post_authorId_fkey\" FOREIGN KEY (\"authorId\") REFERENCES \"User\" (\"id\") \
    ON DELETE RESTRICT ON UPDATE CASCADE\n);\n";

const INIT_MYSQL: &str = "-- CreateTable\nCREATE TABLE `User` (\n    `id` INTEGER NOT NULL AUTO_INCREMENT,\n    \
    `email` VARCHAR(191) NOT NULL,\n\n    UNIQUE INDEX `User_email_key`(`email`),\n    PRIMARY KEY (`id`)\n\
    ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;\n";
const ADD_NAME_MYSQL: &str = "-- AlterTable\nALTER TABLE `User` ADD COLUMN `name` VARCHAR(191) NULL;\n";
const ADD_POST_MYSQL: &str = "-- CreateTable\nCREATE TABLE `Post` (\n    `id` INTEGER NOT NULL AUTO_INCREMENT,\n    \
    `title` VARCHAR(191) NOT NULL,\n    `authorId` INTEGER NOT NULL,\n\n    PRIMARY KEY (`id`)\n\
    ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;\n\n\
    -- AddForeignKey\nALTER TABLE `Post` ADD CONSTRAINT `Post_authorId_fkey` FOREIGN KEY (`authorId`) \
    REFERENCES `User`(`id`) ON DELETE RESTRICT ON UPDATE CASCADE;\n";

/// The first migration's script.
pub(crate) fn init(world: World) -> &'static str {
    match world {
        World::Six | World::Seven => INIT_POSTGRES,
        World::Mysql => INIT_MYSQL,
        World::Sqlite => INIT_SQLITE,
    }
}

/// The second migration's script.
pub(crate) fn add_name(world: World) -> &'static str {
    if world == World::Mysql { ADD_NAME_MYSQL } else { ADD_NAME_SCRIPT }
}

/// The third migration's script.
pub(crate) fn add_post(world: World) -> &'static str {
    match world {
        World::Six | World::Seven => ADD_POST_POSTGRES,
        World::Mysql => ADD_POST_MYSQL,
        World::Sqlite => ADD_POST_SQLITE,
    }
}

/// A script with names quoted as the database of this world has them quoted.
pub(crate) fn quoted(world: World, script: &str) -> String {
    if world == World::Mysql { script.replace('"', "`") } else { script.to_owned() }
}

/// The checksums that Prisma stored for these scripts.
#[test]
fn the_scripts_are_those_of_the_transcripts() {
    let recorded = [
        (INIT_POSTGRES, "481547b0516e7b24d5c46deac974dc1f08fdac632288d82c27a8d2e6b14d665a"),
        (ADD_NAME_SCRIPT, "95fcc7f2b4a7e1afde0219f823f3eb43f2c939214d4ca705edd41a3fa98750bb"),
        (ADD_POST_POSTGRES, "5ba0af376f6d88b7c7d2112c2692b0090962259adcf1061518e274ac30a88fe4"),
        (INIT_SQLITE, "933424abf3eda819de85875bcab73066b660ac0206ed22459331aaf6cb76f537"),
        (ADD_POST_SQLITE, "2221eb49ff9b94abc10239b4b617b0c6aa679b8c2463ff930aa4901fea5a6903"),
        (INIT_MYSQL, "359e053b4c4d6388d317298fbbb44712b53feb7783f8a6af550c308445d138c4"),
        (ADD_NAME_MYSQL, "f349314c92a1d2dea8db378fff71897e4a0a0beb75388956c177816d50154694"),
        (ADD_POST_MYSQL, "efe073fb3a63cff1536e834ab29408de8c7590b98502baa08f608c2fe42cff33"),
        (FIXED_SCRIPT, "31c48cbe68bc676db710dedb5ae445d6269dea4f1da38e7f79a8e36d46bc0fc9"),
        (NOTHING_SCRIPT, "51f68401fa2f1e068444e4c55e5cad5b6563553cdf6b591e281af7251cafe200"),
    ];
    for (script, checksum) in recorded {
        assert_eq!(plimsoll_core::checksum::Checksum::of(script).to_string(), checksum, "{script}");
    }
}
