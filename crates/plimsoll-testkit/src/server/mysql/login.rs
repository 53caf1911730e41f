//! The users that every MySQL and MariaDB of the tests has, one for each way to log in.

use super::Flavour;
use crate::server::KEEPER;

/// A user of a test server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// `root`: may do everything; logs in with the server's default plugin, which is `caching_sha2_password` on MySQL 8 and
    /// `mysql_native_password` on MariaDB.
    Root,
    /// `native`: may do everything in every test's database; logs in with `mysql_native_password` on both.
    Native,
    /// `passwordless`: the same, and needs no password.
    Passwordless,
    /// `reader`: may read every table, and write none.
    Reader,
    /// `plain`: may connect, and see no database.
    Plain,
    /// `tls_only`: may do everything in every test's database; is refused without TLS.
    TlsOnly,
    /// `cert_user`: the same; logs in with a client certificate and its password.
    Certificate,
    /// `odd@user`: the same; its name and password are full of characters that a URL has to escape.
    Odd,
}

impl Login {
    /// Every user.
    pub const ALL: [Self; 8] = [
        Self::Root,
        Self::Native,
        Self::Passwordless,
        Self::Reader,
        Self::Plain,
        Self::TlsOnly,
        Self::Certificate,
        Self::Odd,
    ];

    /// The name of the user.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Native => "native",
            Self::Passwordless => "passwordless",
            Self::Reader => "reader",
            Self::Plain => "plain",
            Self::TlsOnly => "tls_only",
            Self::Certificate => "cert_user",
            Self::Odd => "odd@user",
        }
    }

    /// The password, if the user has one. No output of any program under test may contain it.
    pub fn password(self) -> Option<&'static str> {
        match self {
            Self::Root => Some("hush-root-3b7e"),
            Self::Native => Some("hush-native-58d0"),
            Self::Reader => Some("hush-reader-e1c4"),
            Self::Plain => Some("hush-plain-90ad"),
            Self::TlsOnly => Some("hush-tls-5be0"),
            Self::Certificate => Some("hush-cert-77fa"),
            Self::Odd => Some("hush:p@ss/w%rd?#&4d7e"),
            Self::Passwordless => None,
        }
    }

    /// The statements that make the user.
    fn creation(self, flavour: Flavour) -> String {
        let name = self.name();
        let password = self.password().unwrap_or_default();
        let plugin = match (self, flavour) {
            (Self::Native, flavour) if flavour.is_mysql() => "WITH mysql_native_password ",
            _ => "",
        };
        let condition = match self {
            Self::TlsOnly => " REQUIRE SSL",
            Self::Certificate => " REQUIRE X509",
            _ => "",
        };
        let grant = match self {
            Self::Root => "ALL ON *.*",
            Self::Reader => "SELECT ON *.*",
            Self::Plain => "USAGE ON *.*",
            _ => "ALL ON `%plimsoll\\_%`.*",
        };
        let option = if self == Self::Root { " WITH GRANT OPTION" } else { "" };
        format!(
            "CREATE USER `{name}`@`%` IDENTIFIED {plugin}BY '{password}'{condition};\n\
             GRANT {grant} TO `{name}`@`%`{option};\n"
        )
    }
}

/// The statements that prepare a new server, one a line.
pub(super) fn preparation(flavour: Flavour) -> String {
    let plugin = if flavour.is_mysql() { "WITH mysql_native_password " } else { "" };
    let users: String = Login::ALL.iter().map(|login| login.creation(flavour)).collect();
    let password = Login::Root.password().unwrap_or_default();
    // While MariaDB is initialised, it knows no users before it is told to look.
    format!(
        "FLUSH PRIVILEGES;\nDROP USER IF EXISTS root@`127.0.0.1`, root@`::1`;\nALTER USER root@localhost IDENTIFIED BY '{password}';\n\
         CREATE USER {KEEPER}@localhost IDENTIFIED {plugin}BY '';\n\
         GRANT ALL ON *.* TO {KEEPER}@localhost WITH GRANT OPTION;\n{users}"
    )
}
