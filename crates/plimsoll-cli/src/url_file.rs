//! A connection URL in a file: a mounted Secret, which Kubernetes replaces in place when it is rotated.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_core::url::{DatabaseUrl, MysqlUrl, PostgresUrl};
use plimsoll_core::{Code, Diagnostic, Place, Provider, Secret};
use plimsoll_engine::{mysql, postgres};

/// How often a file that is missing is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// A file that holds nothing but a connection URL.
#[derive(Clone, Debug)]
pub(crate) struct UrlFile(PathBuf);

impl UrlFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The URL as it is at this moment, without the line break at its end. No error shows any of it.
    ///
    /// The path is opened anew: Kubernetes swaps a symbolic link on the way to it.
    pub(crate) fn read(&self) -> Result<Secret, Diagnostic> {
        let shown = self.0.display();
        let text = std::fs::read_to_string(&self.0).map_err(|error| {
            let missing = error.kind() == ErrorKind::NotFound;
            let code = if missing { Code::UrlFileMissing } else { Code::FileUnreadable };
            Diagnostic::new(code, format!("cannot read the file of `--url-file`, `{shown}`: {error}"))
                .help("in a pod: check the volume, its `items` and `mountPath`, and the user of the container (`runAsUser`, `fsGroup`)")
        })?;
        let url = text.trim_end_matches(['\n', '\r']);
        if url.is_empty() {
            return Err(Diagnostic::new(
                Code::UrlFileMissing,
                format!("the file of `--url-file`, `{shown}`, is empty"),
            )
            .at(self.place())
            .help("it has to hold the connection URL and nothing else: check the key of the Secret"));
        }
        Ok(Secret::new(url))
    }

    /// The same, waiting for up to `wait` for a file that is missing or empty; `say` gets to know why, once.
    ///
    /// To be called while nobody listens to signals, so that one ends the process at once: nothing has been begun.
    pub(crate) fn wait_for(
        &self,
        wait: Duration,
        say: impl FnOnce(&Diagnostic),
    ) -> Result<Secret, Diagnostic> {
        let begun = Instant::now();
        let mut say = Some(say);
        loop {
            let left = wait.saturating_sub(begun.elapsed());
            match self.read() {
                Err(why) if why.code == Code::UrlFileMissing && !left.is_zero() => {
                    if let Some(say) = say.take() {
                        say(&why);
                    }
                    std::thread::sleep(LOOK.min(left));
                }
                read => return read,
            }
        }
    }

    /// The place of an error in the URL: the beginning of the file, with none of its text.
    pub(crate) fn place(&self) -> Place {
        Place::new(self.0.display().to_string(), "", 0..0)
    }

    /// What gives the URL of a PostgreSQL database anew for each attempt to connect.
    pub(crate) fn source_of_postgres(self, base: PathBuf) -> postgres::UrlSource {
        Box::new(move || match self.parse(Provider::Postgresql, &base)? {
            DatabaseUrl::Postgres(url) => Ok(PostgresUrl::clone(&url)),
            _ => Err(self.wrong("not a URL of PostgreSQL")),
        })
    }

    /// The same for MySQL and MariaDB.
    pub(crate) fn source_of_mysql(self, base: PathBuf) -> mysql::UrlSource {
        Box::new(move || match self.parse(Provider::Mysql, &base)? {
            DatabaseUrl::Mysql(url) => Ok(MysqlUrl::clone(&url)),
            _ => Err(self.wrong("not a URL of MySQL")),
        })
    }

    fn parse(&self, provider: Provider, base: &Path) -> Result<DatabaseUrl, Diagnostic> {
        DatabaseUrl::parse(provider, &self.read()?, base).map_err(|error| error.at(self.place()))
    }

    fn wrong(&self, why: &str) -> Diagnostic {
        Diagnostic::new(Code::UrlInvalid, why).at(self.place())
    }
}
