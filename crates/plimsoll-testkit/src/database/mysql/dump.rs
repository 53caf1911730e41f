//! What `mariadb-dump` says about a database. It dumps MySQL as well.

use std::process::Command;

use regex::Regex;

use crate::server::{KEEPER, MysqlServer};

const TOOL: &str = "mariadb-dump";

/// The schema of a database, without what differs from run to run.
pub(super) fn schema(server: &MysqlServer, database: &str) -> String {
    let mut command = Command::new(TOOL);
    // Nobody's `MYSQL_PWD` or option files shall have a say in this.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).arg("--no-defaults");
    command.arg(format!("--socket={}", server.socket().display())).arg(format!("--user={KEEPER}"));
    // Newer clients ask for TLS even on a socket.
    command.arg("--skip-ssl");
    command.args(["--no-data", "--routines", "--triggers", "--events", "--skip-comments", "--", database]);
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{TOOL} is not installed: run `cargo xtask setup`: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{TOOL} of {database}: {text}");
    steady(&String::from_utf8_lossy(&output.stdout), database)
}

/// Without the next number of counters; and the name of the database, which stands in front of some statements, is `db`.
fn steady(dump: &str, database: &str) -> String {
    let counter = Regex::new(r"(?m)^(\) ENGINE=.*?) AUTO_INCREMENT=\d+").expect("the pattern is right");
    let name = format!("`{}`", database.replace('`', "``"));
    counter.replace_all(dump, "$1").replace(&name, "`db`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_the_name_of_the_database_are_steady_and_nothing_else_changes() {
        let dump = "CREATE TABLE `a` (\n  `b` text DEFAULT ' AUTO_INCREMENT=3'\n) ENGINE=InnoDB AUTO_INCREMENT=7 CHARSET=x;\n\
                    ALTER DATABASE `d``b` CHARACTER SET x;\n";
        let wanted = "CREATE TABLE `a` (\n  `b` text DEFAULT ' AUTO_INCREMENT=3'\n) ENGINE=InnoDB CHARSET=x;\n\
                      ALTER DATABASE `db` CHARACTER SET x;\n";
        assert_eq!(steady(dump, "d`b"), wanted);
    }
}
