//! Attributes: names with values. The names are OpenTelemetry's where its conventions have one, else they begin with
//! `plimsoll.`; docs/telemetry.md lists them.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use plimsoll_core::Diagnostic;
use plimsoll_core::url::DatabaseUrl;

/// A text under a name.
pub(crate) fn text(name: &str, value: impl Into<String>) -> KeyValue {
    pair(name, Value::StringValue(value.into()))
}

/// A number under a name.
pub(crate) fn number(name: &str, value: impl TryInto<i64>) -> KeyValue {
    pair(name, Value::IntValue(value.try_into().unwrap_or(i64::MAX)))
}

fn pair(name: &str, value: Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Which database, by the conventions for database clients. A MariaDB is called `mysql`: its URL does not tell the two apart.
pub(crate) fn database(url: &DatabaseUrl) -> Vec<KeyValue> {
    match url {
        DatabaseUrl::Postgres(url) => {
            let schema = url.schema.as_deref().unwrap_or("public");
            let namespace = format!("{}|{schema}", url.database);
            server("postgresql", namespace, &url.host, url.port)
        }
        DatabaseUrl::Mysql(url) => match &url.socket {
            Some(socket) => server("mysql", url.database.clone(), socket, url.port),
            None => server("mysql", url.database.clone(), &url.host, url.port),
        },
        DatabaseUrl::Sqlite(url) => vec![text("db.system.name", "sqlite"), text("db.namespace", url.name())],
    }
}

/// A host that begins with a slash is the directory, or the file, of a socket, which has no port.
fn server(system: &str, namespace: String, host: &str, port: u16) -> Vec<KeyValue> {
    let mut attributes =
        vec![text("db.system.name", system), text("db.namespace", namespace), text("server.address", host)];
    if !host.starts_with('/') {
        attributes.push(number("server.port", port));
    }
    attributes
}

/// An error without a word of the database's and without the names of its case: the code, what it means in general, the
/// SQLSTATE and the place. Anything else may quote rows.
pub(crate) fn exception(why: &Diagnostic) -> Vec<KeyValue> {
    let mut attributes =
        vec![text("exception.type", why.code.as_str()), text("exception.message", why.code.title())];
    if let Some(code) = why.database.as_ref().and_then(|said| said.code.as_deref()) {
        attributes.push(text("db.response.status_code", code));
    }
    if let Some(place) = &why.place {
        attributes.push(text("code.file.path", place.file()));
        attributes.push(number("code.line.number", place.line()));
        attributes.push(number("code.column.number", place.column()));
    }
    attributes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use plimsoll_core::{Code, DatabaseMessage, Place, Provider, Secret};

    use super::*;

    /// Attributes as people write them.
    pub(crate) fn shown(attributes: &[KeyValue]) -> Vec<String> {
        let value = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(text)) => text.clone(),
            Some(Value::IntValue(number)) => number.to_string(),
            other => format!("{other:?}"),
        };
        attributes.iter().map(|pair| format!("{}={}", pair.key, value(pair))).collect()
    }

    fn of(provider: Provider, url: &str) -> Vec<String> {
        shown(&database(&DatabaseUrl::parse(provider, &Secret::new(url), Path::new("/")).unwrap()))
    }

    #[test]
    fn a_database_is_named_without_its_user() {
        assert_eq!(
            of(Provider::Postgresql, "postgresql://ada:hunter2@db:5433/shop?schema=s"),
            ["db.system.name=postgresql", "db.namespace=shop|s", "server.address=db", "server.port=5433"]
        );
        assert_eq!(
            of(Provider::Mysql, "mysql://ada:hunter2@db/shop"),
            ["db.system.name=mysql", "db.namespace=shop", "server.address=db", "server.port=3306"]
        );
        assert_eq!(
            of(Provider::Mysql, "mysql://ada:hunter2@localhost/shop?socket=/run/m.sock"),
            ["db.system.name=mysql", "db.namespace=shop", "server.address=/run/m.sock"]
        );
        assert_eq!(of(Provider::Sqlite, "file:./dev.db"), ["db.system.name=sqlite", "db.namespace=dev.db"]);
    }

    #[test]
    fn an_error_is_told_without_what_may_quote_rows() {
        let source = "INSERT INTO person VALUES ('Ada')";
        let said = DatabaseMessage {
            code: Some("23505".into()),
            detail: Some("Key (name)=(Ada) already exists".into()),
            ..DatabaseMessage::new("duplicate key `Ada`")
        };
        let why = Diagnostic::new(Code::MigrationFailed, "`1_init` failed: Ada")
            .at(Place::new("prisma/migrations/1_init/migration.sql", source, 12..18))
            .said_by(said);
        let shown = shown(&exception(&why));
        assert!(!format!("{shown:?}").contains("Ada"), "{shown:?}");
        assert_eq!(shown[0], "exception.type=P3018");
        assert_eq!(
            &shown[2..],
            [
                "db.response.status_code=23505",
                "code.file.path=prisma/migrations/1_init/migration.sql",
                "code.line.number=1",
                "code.column.number=13"
            ]
        );
    }
}
