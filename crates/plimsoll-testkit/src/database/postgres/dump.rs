//! What `pg_dump` says about a database.

use std::process::Command;

use crate::server::{KEEPER, PostgresServer};

/// The schema of a database, without what differs from run to run.
pub(super) fn schema(server: &PostgresServer, database: &str) -> String {
    let mut pg_dump = Command::new("pg_dump");
    // Nobody's `PGHOST`, `PGOPTIONS` or `PGPASSFILE` shall have a say in this.
    pg_dump.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    pg_dump.arg("--schema-only").arg("--host").arg(server.socket_directory());
    pg_dump.arg(format!("--port={}", server.port())).arg(format!("--username={KEEPER}"));
    // `--dbname` alone would read quotes and equals signs in a name as a connection string.
    pg_dump.arg("--dbname").arg(connection_string(database));
    let output = pg_dump
        .output()
        .unwrap_or_else(|error| panic!("pg_dump is not installed: run `cargo xtask setup`: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pg_dump of a PostgreSQL {}: {text}", server.version().major());
    steady(&String::from_utf8_lossy(&output.stdout))
}

fn connection_string(database: &str) -> String {
    format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Recent versions bracket a dump with `\restrict TOKEN`, new every time.
fn steady(dump: &str) -> String {
    let kept =
        dump.lines().filter(|line| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict "));
    kept.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restrict_tokens_are_left_out_and_nothing_else() {
        assert_eq!(
            steady("--\n\\restrict x7\nCREATE TABLE a ();\n\\unrestrict x7\n"),
            "--\nCREATE TABLE a ();\n"
        );
    }

    #[test]
    fn a_name_with_quotes_is_one_name() {
        assert_eq!(connection_string(r"a'b=\c"), r"dbname='a\'b=\\c'");
    }
}
