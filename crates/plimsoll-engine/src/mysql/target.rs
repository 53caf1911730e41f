//! The targets of MySQL and MariaDB.

use plimsoll_core::url::MysqlUrl;
use plimsoll_core::url::mysql::Tls as TlsParameters;

use super::tls::Tls;
use crate::target::ServerUrl;

pub(super) type Target = crate::target::Target<MysqlUrl, Tls>;
pub(super) type Targets = crate::target::Targets<MysqlUrl, Tls>;

/// Reads the URL as it is at this moment.
pub type UrlSource = crate::target::UrlSource<MysqlUrl>;

impl ServerUrl for MysqlUrl {
    fn tls(&self) -> &TlsParameters {
        &self.tls
    }

    fn is_same_database(&self, other: &Self) -> bool {
        Self::is_same_database(self, other)
    }

    fn shown(&self) -> String {
        format!("`{}` at `{}`", self.database, self.endpoint())
    }
}
