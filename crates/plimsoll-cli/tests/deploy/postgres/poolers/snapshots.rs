//! Behind a pooler the history is read again under the lock, as it is by then.

use plimsoll_testkit::server::PoolMode;

use super::{Pooled, Says};
use crate::scene::assert_says;

/// A table in which each write of the history, and each script, notes in what kind of transaction it is.
const NOTES: &str = "CREATE TABLE seen (what TEXT, level TEXT);\n\
    CREATE FUNCTION note() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN\n\
    INSERT INTO public.seen VALUES (TG_OP, current_setting('transaction_isolation')); RETURN NULL; END $$;\n\
    CREATE FUNCTION note_definition() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN\n\
    INSERT INTO public.seen VALUES (tg_tag, current_setting('transaction_isolation')); END $$;\n\
    CREATE EVENT TRIGGER definitions ON ddl_command_end WHEN tag IN ('CREATE TABLE') EXECUTE FUNCTION note_definition();\n";

async fn by_default(pooled: &Pooled, level: &str) {
    let name = pooled.scene.postgres().name();
    let set = format!("ALTER DATABASE \"{name}\" SET default_transaction_isolation = '{level}'");
    pooled.scene.base.execute(&set).await;
}

/// A snapshot that is older than the lock would not show what the holder before us has done.
#[tokio::test]
async fn whatever_the_default_is_each_statement_under_the_lock_sees_what_is_committed() {
    const NOTE: &str = "INSERT INTO seen SELECT 'script', current_setting('transaction_isolation');\n";
    for level in ["repeatable read", "serializable"] {
        let pooled = Pooled::new(PoolMode::Transaction).await;
        by_default(&pooled, level).await;
        pooled.scene.base.execute(NOTES).await;
        let pooled = pooled.migration("0_base", "").migration("1_init", NOTE).migration("2_failed", "");
        pooled.run(Says::Pooler, &["resolve", "--applied", "0_base"]).expect_code(0);
        let noted = "CREATE TRIGGER writes AFTER INSERT OR UPDATE ON _prisma_migrations EXECUTE FUNCTION note();\n\
            INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '2_failed');\n\
            DELETE FROM seen WHERE what = 'INSERT'";
        pooled.scene.base.execute(noted).await;
        pooled.run(Says::Pooler, &["resolve", "--rolled-back", "2_failed"]).expect_code(0);
        pooled.run(Says::Pooler, &["resolve", "--applied", "2_failed"]).expect_code(0);
        pooled.run(Says::Pooler, &["deploy"]).expect_code(0);
        let seen = "SELECT string_agg(DISTINCT what || ': ' || level, ', ' ORDER BY what || ': ' || level) FROM seen";
        assert_eq!(
            pooled.value(seen).await,
            "CREATE TABLE: read committed, INSERT: read committed, UPDATE: read committed, script: read committed",
            "{level}"
        );
    }
}

/// A script that chooses its own snapshot comes before the lock, and would not see what the holder before it has done.
#[tokio::test]
async fn a_script_that_sets_the_modes_of_its_transaction_is_refused_however_it_says_so() {
    let modes = [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET LOCAL TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET LOCAL transaction_isolation = 'repeatable read'",
        "SET transaction_isolation TO 'repeatable read'",
        "SET SESSION transaction_isolation TO 'repeatable read'",
    ];
    let pooled = Pooled::new(PoolMode::Transaction).await.migration("1_init", "CREATE TABLE ship (id INT);");
    for set in modes {
        pooled.project().set_migration("2_rr", &format!("{set};\nINSERT INTO ship VALUES (1);"));
        let refused = pooled.run(Says::Nothing, &["deploy"]).expect_code(78);
        assert_says(&refused.stderr, &["PLM230", "`2_rr`", "migration.sql:1:1", "nothing was applied"]);
        assert_eq!(pooled.value("SELECT to_regclass('ship') IS NULL").await, "t", "{set}");
    }
    // At the server itself nobody else has the lock meanwhile.
    pooled.scene.deployed();
    assert_eq!(pooled.scene.applied().await, ["1_init", "2_rr"]);
}

/// The lock is let go of between the look at the history and the verdict: here somebody records the migration in that moment.
#[tokio::test]
async fn a_migration_that_is_applied_behind_the_last_look_is_not_recorded_again() {
    let pooled = Pooled::new(PoolMode::Transaction).await.migration("0_base", "").migration("1_init", "");
    pooled.run(Says::Pooler, &["resolve", "--applied", "0_base"]).expect_code(0);
    // What is read under the lock is not yet there while it is read.
    let overtaken = "ALTER TABLE _prisma_migrations RENAME TO history;\n\
        CREATE FUNCTION overtake() RETURNS BOOLEAN VOLATILE LANGUAGE plpgsql AS $$ BEGIN\n\
        INSERT INTO history (id, checksum, migration_name, finished_at) SELECT 'theirs', '', '1_init', now()\n\
        WHERE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())\n\
        AND NOT EXISTS (SELECT FROM history WHERE migration_name = '1_init'); RETURN true; END $$;\n\
        CREATE VIEW _prisma_migrations AS SELECT * FROM history WHERE overtake();\n";
    pooled.scene.base.execute(overtaken).await;
    let late = pooled.run(Says::Pooler, &["resolve", "--applied", "1_init"]).expect_code(65);
    assert_says(&late.stderr, &["P3008"]);
    assert_eq!(
        pooled.value("SELECT string_agg(id, ' ') FROM history WHERE migration_name = '1_init'").await,
        "theirs"
    );
}
