//! How a MySQL or MariaDB for tests is set up.

use std::fmt::Write as _;

use super::{MysqlServer, template};
use crate::server::options::{Options, Tls};
use crate::server::process::PID_FILE;

/// What a server is told even while its data are initialised: the sizes of files that exist from then on.
pub(super) const SIZES: [&str; 1] = ["innodb-log-file-size=8M"];

/// The configuration file. Durability is low: a test's data need to outlive a killed server, and not the machine.
pub(super) fn text(server: &MysqlServer, options: &Options) -> String {
    let mut text = String::from(
        "[mysqld]\nbind-address=127.0.0.1\nskip-name-resolve\nmax-connections=200\nskip-log-bin\n\
         innodb-flush-log-at-trx-commit=2\ninnodb-flush-method=nosync\ninnodb-buffer-pool-size=32M\ninnodb-use-native-aio=0\nkey-buffer-size=1M\n\
         character-set-server=utf8mb4\n",
    );
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name}={value}").expect("a string takes every text");
    };
    line("datadir", &server.process.data().display().to_string());
    // A MariaDB that starts deletes what another one keeps in the same place at that moment.
    line("tmpdir", &server.directory().display().to_string());
    line("pid-file", &server.process.data().join(PID_FILE).display().to_string());
    line("socket", &server.socket().display().to_string());
    line("port", &server.port.to_string());
    if server.flavour.is_mysql() {
        line("basedir", &template::home(server.flavour).display().to_string());
        // Another protocol, on a port that only one server can have.
        line("mysqlx", "OFF");
    } else {
        line("plugin-dir", &template::plugins_of_mariadb().display().to_string());
    }
    if options.tls == Tls::Offered {
        line("ssl-cert", &server.certificates.server().display().to_string());
        line("ssl-key", &server.certificates.server_key().display().to_string());
        line("ssl-ca", &server.certificates.authority().display().to_string());
    } else {
        line("ssl", "OFF");
    }
    text += &(SIZES.join("\n") + "\n");
    for (name, value) in &options.settings {
        writeln!(text, "{name}={value}").expect("a string takes every text");
    }
    text
}
