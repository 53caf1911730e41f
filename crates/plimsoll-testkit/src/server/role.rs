//! The roles that every test server has, one for each way to log in.

/// A role of a test server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `postgres`: may do everything; logs in with SCRAM.
    Superuser,
    /// `md5_user`: may create tables; its password is stored as MD5 and asked for as such.
    Md5,
    /// `trusted`: may create tables; needs no password.
    Trusted,
    /// `plain`: may connect and read the catalog, and create nothing.
    Plain,
    /// `tls_only`: may create tables; is refused without TLS.
    TlsOnly,
    /// `no_tls`: may create tables; is refused with TLS.
    NoTls,
    /// `cert_user`: may create tables; logs in with a client certificate alone.
    Certificate,
    /// `odd@user`: may create tables; its name and password are full of characters that a URL has to escape.
    Odd,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Superuser,
        Self::Md5,
        Self::Trusted,
        Self::Plain,
        Self::TlsOnly,
        Self::NoTls,
        Self::Certificate,
        Self::Odd,
    ];

    /// The name of the role.
    pub fn name(self) -> &'static str {
        match self {
            Self::Superuser => "postgres",
            Self::Md5 => "md5_user",
            Self::Trusted => "trusted",
            Self::Plain => "plain",
            Self::TlsOnly => "tls_only",
            Self::NoTls => "no_tls",
            Self::Certificate => "cert_user",
            Self::Odd => "odd@user",
        }
    }

    /// Its password, if it has one. No output of any program under test may contain it.
    pub fn password(self) -> Option<&'static str> {
        match self {
            Self::Superuser => Some("hush-super-7f31"),
            Self::Md5 => Some("hush-md5-22c9"),
            Self::Plain => Some("hush-plain-90ad"),
            Self::TlsOnly => Some("hush-tls-5be0"),
            Self::NoTls => Some("hush-notls-c418"),
            Self::Odd => Some("hush:p@ss/w%rd?#&4d7e"),
            Self::Trusted | Self::Certificate => None,
        }
    }

    /// The statement that makes the role, unless it is the superuser, who is there from the beginning.
    fn creation(self) -> Option<String> {
        if self == Self::Superuser {
            return None;
        }
        let encryption = if self == Self::Md5 { "md5" } else { "scram-sha-256" };
        let password = self.password().map_or_else(|| "NULL".to_owned(), |password| format!("'{password}'"));
        let grant = if self == Self::Plain { "USAGE" } else { "CREATE, USAGE" };
        let name = self.name();
        Some(format!(
            "SET password_encryption = '{encryption}';\nCREATE ROLE \"{name}\" LOGIN PASSWORD {password};\n\
             GRANT {grant} ON SCHEMA public TO \"{name}\";\n"
        ))
    }
}

/// The superuser of the testkit itself. It comes in through the socket without a password, so that what the
/// testkit does never depends on what is being tested.
pub(crate) const KEEPER: &str = "testkit";

/// The statements that prepare `template1`, from which every test database is made, one a line.
pub(super) fn preparation() -> String {
    let roles: String = Role::ALL.iter().filter_map(|role| role.creation()).collect();
    // Before version 15 everybody could create in `public`.
    format!("REVOKE CREATE ON SCHEMA public FROM PUBLIC;\nCREATE ROLE {KEEPER} SUPERUSER LOGIN;\n{roles}")
}

/// Who may log in how, as `pg_hba.conf`. The first line that fits decides.
pub(super) const ACCESS: &str = "\
local     all testkit       trust
local     all trusted       trust
local     all all           scram-sha-256
host      all trusted   all trust
host      all md5_user  all md5
hostssl   all tls_only  all scram-sha-256
host      all tls_only  all reject
hostnossl all no_tls    all scram-sha-256
host      all no_tls    all reject
hostssl   all cert_user all cert
host      all cert_user all reject
host      all all       all scram-sha-256
";
