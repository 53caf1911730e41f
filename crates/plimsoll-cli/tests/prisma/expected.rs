//! What Prisma prints on standard output, word for word, where scripts look for it.

use crate::scenario::World;

/// The line about the datasource, with markers for what differs from run to run.
pub(crate) fn datasource(world: World) -> &'static str {
    match world {
        World::Six | World::Seven => {
            "Datasource \"db\": PostgreSQL database \"<database>\", schema \"public\" at \"127.0.0.1:<port>\"\n"
        }
        World::Mysql => "Datasource \"db\": MySQL database \"<database>\" at \"127.0.0.1:<port>\"\n",
        World::Sqlite => "Datasource \"db\": SQLite database \"test.db\" at \"file:<sqlite>/test.db\"\n",
    }
}

/// The first lines of every command. Prisma 7 writes one of them to standard error.
pub(crate) fn head(world: World) -> String {
    let schema = if world == World::Seven { "" } else { "Prisma schema loaded from prisma/schema.prisma\n" };
    format!("{schema}{}", datasource(world))
}

/// The number of migrations.
pub(crate) fn found(number: usize) -> String {
    match number {
        0 => "No migration found in prisma/migrations\n".to_owned(),
        1 => "1 migration found in prisma/migrations\n".to_owned(),
        many => format!("{many} migrations found in prisma/migrations\n"),
    }
}

/// `deploy` up to the moment when it starts to apply.
pub(crate) fn deploying(world: World, number: usize) -> String {
    format!("{}\n{}\n", head(world), found(number))
}

/// The same after a database has been created.
pub(crate) fn deploying_to_new(world: World, number: usize) -> String {
    let created = match world {
        World::Six | World::Seven => "PostgreSQL database <database> created at 127.0.0.1:<port>\n",
        World::Mysql => "MySQL database <database> created at 127.0.0.1:<port>\n",
        World::Sqlite => "SQLite database test.db created at file:<sqlite>/test.db\n",
    };
    format!("{}\n{created}\n{}\n", head(world), found(number))
}

/// A line for each migration that is begun.
pub(crate) fn applying(names: &[&str]) -> String {
    each(names, |name| format!("Applying migration `{name}`\n"))
}

/// These were applied, and that was all.
pub(crate) fn applied(world: World, names: &[&str]) -> String {
    let tree = each(names, |name| format!("  └─ {name}/\n    └─ migration.sql\n"));
    let gap = if world == World::Seven { "\n" } else { "      \n" };
    format!(
        "{}\nThe following migration(s) have been applied:\n\nmigrations/\n{tree}{gap}\
         All migrations have been successfully applied.\n",
        applying(names)
    )
}

/// `deploy` without work.
pub(crate) fn nothing_to_apply(world: World, number: usize) -> String {
    format!("{}\nNo pending migrations to apply.\n", deploying(world, number))
}

/// The beginning of `status`.
pub(crate) fn standing(world: World, number: usize) -> String {
    format!("{}\n{}", head(world), found(number))
}

/// `status` of a database that stands where it should.
pub(crate) fn up_to_date(world: World, number: usize) -> String {
    format!("{}\nDatabase schema is up to date!\n", standing(world, number))
}

/// `status` of a database that does not.
pub(crate) fn pending(world: World, number: usize, names: &[&str]) -> String {
    let migrations = if names.len() == 1 { "migration" } else { "migrations" };
    let names = each(names, |name| format!("{name}\n"));
    format!(
        "{}Following {migrations} have not yet been applied:\n{names}\n\
         To apply migrations in development run prisma migrate dev.\n\
         To apply migrations in production run prisma migrate deploy.\n",
        standing(world, number)
    )
}

/// `resolve` did it.
pub(crate) fn marked(world: World, name: &str, state: &str) -> String {
    format!("{}\nMigration {name} marked as {state}.\n\n", head(world))
}

/// What `status` says about failed migrations, on standard error.
pub(crate) fn failed(names: &[&str]) -> String {
    let migrations = if names.len() == 1 { "migration" } else { "migrations" };
    let list = each(names, |name| format!("{name}\n"));
    let first = names[0];
    format!(
        "Following {migrations} have failed:\n{list}\n\
         During development if the failed migration(s) have not been deployed to a production database you can \
         then fix the migration(s) and run prisma migrate dev.\n\n\
         The failed migration(s) can be marked as rolled back or applied:\n      \n\
         - If you rolled back the migration(s) manually:\nprisma migrate resolve --rolled-back \"{first}\"\n\n\
         - If you fixed the database manually (hotfix):\nprisma migrate resolve --applied \"{first}\"\n\n\
         Read more about how to resolve migration issues in a production database:\n\
         https://pris.ly/d/migrate-resolve\n"
    )
}

fn each(names: &[&str], line: impl Fn(&str) -> String) -> String {
    names.iter().fold(String::new(), |text, name| text + &line(name))
}
