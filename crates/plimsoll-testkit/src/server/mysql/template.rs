//! The data directories that the servers of the tests begin with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Flavour, configuration, login};
use crate::installed;
use crate::server::account;
use crate::server::template::{Template, succeed};

/// Where Debian puts the programs of servers, which is not in everybody's `PATH`.
const DIRECTORIES: [&str; 3] = ["/usr/sbin", "/usr/bin", "/usr/local/bin"];

/// Where this MySQL is.
pub(super) fn home(flavour: Flavour) -> PathBuf {
    installed::file(if flavour == Flavour::OldMysql { "mysql/8.0.15" } else { "mysql/8.0.31" })
}

/// Where the plugins of MariaDB are, which Debian has in another package than the server.
pub(super) fn plugins_of_mariadb() -> PathBuf {
    installed::file("mariadb/mariadb-server/usr/lib/mysql/plugin")
}

/// The program of the server.
pub(super) fn server(flavour: Flavour) -> Command {
    match flavour {
        Flavour::Mysql | Flavour::OldMysql => program(&home(flavour).join("bin/mysqld")),
        Flavour::Mariadb => program(&found("mariadbd")),
    }
}

fn program(path: &Path) -> Command {
    let mut command = account::unprivileged(path);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    command
}

fn found(name: &str) -> PathBuf {
    let mut paths = DIRECTORIES.iter().map(|directory| Path::new(directory).join(name));
    paths
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: run `cargo xtask setup`"))
}

/// Puts a fresh data directory at `data`, which must not exist yet.
pub(super) fn copy_to(flavour: Flavour, data: &Path) {
    let (name, program) = match flavour {
        Flavour::Mysql => ("mysql-8.0.31", home(flavour)),
        Flavour::OldMysql => ("mysql-8.0.15", home(flavour)),
        Flavour::Mariadb => ("mariadb-10.11", found("mariadbd")),
    };
    let template = Template {
        name,
        ingredients: &[
            &login::preparation(flavour),
            &configuration::SIZES.concat(),
            &program.display().to_string(),
        ],
        make: &|data| make(flavour, data),
    };
    template.copy_to(data);
}

fn make(flavour: Flavour, data: &Path) {
    let script = data.with_file_name("prepare.sql");
    std::fs::write(&script, login::preparation(flavour)).expect("the directory is ours");
    let mut command = match flavour {
        Flavour::Mysql | Flavour::OldMysql => {
            let mut command = server(flavour);
            command.args(["--no-defaults", "--initialize-insecure"]);
            command.arg(format!("--basedir={}", home(flavour).display()));
            command.arg(format!("--init-file={}", script.display()));
            command
        }
        Flavour::Mariadb => {
            let mut command = program(&found("mariadb-install-db"));
            command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
            command.arg(format!("--extra-file={}", script.display()));
            command
        }
    };
    command.args(configuration::SIZES.map(|size| format!("--{size}")));
    succeed(command.arg(format!("--datadir={}", data.display())));
}
