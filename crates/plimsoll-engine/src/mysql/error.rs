//! The errors of MySQL and MariaDB, sorted into what the run loop does about them.
//!
//! The table is [`ERRORS`].

use std::io;

use mysql_async::{DriverError, IoError, ServerError};
use plimsoll_core::url::MysqlUrl;
use plimsoll_core::{Code, DatabaseMessage, Diagnostic};

use super::errors::ERRORS;
use crate::classes::{Known, Server, Trouble, damaged};
use crate::error::{CancelledBy, Error, Kind};
use crate::tls::about_time;

/// A login that is refused.
pub(super) const ACCESS_DENIED: u16 = 1045;
/// `CREATE DATABASE` of one that is there.
pub(super) const DATABASE_EXISTS: u16 = 1007;
/// `CREATE TABLE` of one that is there.
pub(super) const TABLE_EXISTS: u16 = 1050;
/// A column that the table does not have.
pub(super) const NO_SUCH_COLUMN: u16 = 1054;
/// A table that is not there.
pub(super) const NO_SUCH_TABLE: u16 = 1146;

/// `ER_LOCK_WAIT_TIMEOUT`: a lock that was not to be had in time.
pub(super) const LOCK_WAIT_TIMEOUT: u16 = 1205;

/// The server's number of an error, if the server sent it.
pub(super) fn number(found: &mysql_async::Error) -> Option<u16> {
    match found {
        mysql_async::Error::Server(found) => Some(found.code),
        _ => None,
    }
}

/// A statement that is longer than the server takes; it closes the connection, too.
const TOO_LONG: u16 = 1153;

/// The server's number for a statement that somebody has cancelled.
pub(super) const INTERRUPTED: u16 = 1317;

/// For limits, the servers' and ours, there are numbers of their own.
pub(super) fn cancelled_by(said: &DatabaseMessage) -> CancelledBy {
    if said.code.as_deref() == Some(INTERRUPTED.to_string().as_str()) {
        CancelledBy::Somebody
    } else {
        CancelledBy::Limit
    }
}

/// What is said of a statement that took longer than a limit of ours allows, with the server's number for limits of its own.
pub(super) fn limited(limit: &str) -> mysql_async::Error {
    server(3024, &format!("Query execution was interrupted, {limit} exceeded"), "HY000")
}

/// What the server says of a statement that it was asked to cancel.
pub(super) fn interrupted() -> mysql_async::Error {
    server(INTERRUPTED, "Query execution was interrupted", "70100")
}

/// What the server says, if it still says anything, of a statement that is longer than it takes.
pub(super) fn too_long() -> mysql_async::Error {
    server(TOO_LONG, "Got a packet bigger than 'max_allowed_packet' bytes", "08S01")
}

fn server(code: u16, message: &str, state: &str) -> mysql_async::Error {
    mysql_async::Error::Server(ServerError { code, message: message.to_owned(), state: state.to_owned() })
}

/// An error of connecting.
pub(super) fn of_connect(found: &mysql_async::Error, url: &MysqlUrl) -> Error {
    match found {
        mysql_async::Error::Server(found) => refused_by_server(found, url),
        mysql_async::Error::Io(IoError::Tls(why)) => Error::never(tls(&why.to_string())),
        mysql_async::Error::Io(IoError::Io(found)) => match tls_inside(found) {
            Some(why) => Error::never(tls(&why.to_string())),
            None => because(unreachable(url), &found.to_string()),
        },
        mysql_async::Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            Error::never(tls("the server offers none"))
        }
        mysql_async::Error::Driver(DriverError::ConnectionClosed) => unreachable(url),
        other => of_driver(other, &url.endpoint()),
    }
}

/// The server cannot be reached.
pub(super) fn unreachable(url: &MysqlUrl) -> Error {
    let endpoint = url.endpoint();
    Error::new(
        Kind::NotYet,
        Diagnostic::new(Code::Unreachable, format!("Can't reach database server at `{endpoint}`"))
            .help(format!("Please make sure your database server is running at `{endpoint}`.")),
    )
}

fn because(error: Error, why: &str) -> Error {
    Error { diagnostic: Box::new(error.diagnostic.help(why)), ..error }
}

fn tls(why: &str) -> Diagnostic {
    let tls = Diagnostic::new(Code::Tls, format!("Error opening a TLS connection: {why}"));
    // What a server says that has no way to agree on keys in common with us.
    let tls = if why.contains("HandshakeFailure") {
        tls.help("the server may be too old: its TLS has to know version 1.2 with ECDHE")
    } else {
        tls
    };
    tls.helps(about_time(why).map(str::to_owned))
        .help("`sslaccept`, `sslcert` and `sslidentity` of the URL decide what is expected of the server")
}

/// An I/O error carries the TLS error that caused it without calling it its source.
fn tls_inside(found: &io::Error) -> Option<&rustls::Error> {
    found.get_ref()?.downcast_ref()
}

fn refused_by_server(found: &ServerError, url: &MysqlUrl) -> Error {
    // Which server it is nobody has told the driver's caller.
    let class = row_of(found, Server::Any).map_or(Trouble::Refused, |row| row.connecting);
    let diagnostic = match class {
        Trouble::Credentials => credentials(url),
        Trouble::Missing => {
            Diagnostic::new(class.code(), format!("Database `{}` does not exist", url.database))
                .help("`plimsoll deploy` creates it; commands that only read do not")
        }
        Trouble::Denied => Diagnostic::new(
            class.code(),
            format!("User was denied access on the database `{}`", url.database),
        ),
        // `require_secure_transport`.
        Trouble::Tls => tls("the server takes no connection without it")
            .help("put `sslaccept=accept_invalid_certs`, or `sslaccept=strict`, into the URL"),
        Trouble::NotYet => not_yet(&url.endpoint()),
        _ => Diagnostic::new(class.code(), "the database server refused the connection"),
    };
    // What there is to know of a missing database is said already.
    let diagnostic = if class == Trouble::Missing { diagnostic } else { diagnostic.said_by(message(found)) };
    Error::new(class.kind(), diagnostic)
}

fn not_yet(endpoint: &str) -> Diagnostic {
    let message = format!("the database server at `{endpoint}` accepts no connections yet");
    Diagnostic::new(Trouble::NotYet.code(), message)
}

fn credentials(url: &MysqlUrl) -> Diagnostic {
    let user = url.user.as_deref().unwrap_or_default();
    Diagnostic::new(
        Code::AuthenticationFailed,
        format!("Authentication failed against database server, the provided database credentials for `{user}` are not valid."),
    )
    .help("Please make sure to provide valid database credentials for the database server at the configured address.")
}

/// The line of an error in the table, on this server or on any.
fn row_of(found: &ServerError, server: Server) -> Option<&'static Known> {
    let code = found.code.to_string();
    let is_there = |row: &&Known| [row.server, server].contains(&Server::Any) || row.server == server;
    ERRORS.iter().filter(is_there).find(|row| row.code == code && row.fits(&found.message))
}

/// What an error is in a session of this server.
pub(super) fn class_in_session(found: &ServerError, server: Server) -> Trouble {
    row_of(found, server).map_or(Trouble::Script, |row| row.session)
}

/// An error of a session that had been made.
pub(super) fn of_session(found: &mysql_async::Error, endpoint: &str, server: Server) -> Error {
    let mysql_async::Error::Server(found) = found else { return of_driver(found, endpoint) };
    let class = class_in_session(found, server);
    let diagnostic = match class {
        Trouble::Lost => return lost(endpoint, &found.message),
        Trouble::NotYet => not_yet(endpoint),
        Trouble::Unclear => unclear(endpoint),
        Trouble::Denied => denied(),
        Trouble::Replica | Trouble::ReadOnly => read_only(),
        Trouble::Cancelled => Diagnostic::new(class.code(), "the statement was cancelled"),
        Trouble::Again => blocked(),
        Trouble::NoRoom => {
            Diagnostic::new(class.code(), "the database has no room left").help("make room, then start again")
        }
        Trouble::Damaged => damaged(),
        _ if found.code == TOO_LONG => {
            Diagnostic::new(class.code(), "a statement is longer than the server takes")
                .help("raise the server's `max_allowed_packet`, or cut the statement into several")
        }
        _ => Diagnostic::new(class.code(), "the database reported an error"),
    };
    Error::new(class.kind(), diagnostic.said_by(message(found)))
}

/// An error that no server sent: the connection is gone, or the driver did not understand something.
fn of_driver(found: &mysql_async::Error, endpoint: &str) -> Error {
    match found {
        mysql_async::Error::Io(_) | mysql_async::Error::Driver(DriverError::ConnectionClosed) => {
            lost(endpoint, &found.to_string())
        }
        mysql_async::Error::Driver(DriverError::LocalInfile(_)) => Error::never(
            Diagnostic::new(Code::NeedsClient, "the script reads a file of the client (`LOAD DATA LOCAL`)")
                .help("use `INSERT`"),
        ),
        // For a user that it does not have, MySQL names one of its plugins at random, so that nobody finds out.
        mysql_async::Error::Driver(
            found @ (DriverError::UnknownAuthPlugin { .. }
            | DriverError::CleartextPluginDisabled
            | DriverError::MysqlOldPasswordDisabled),
        ) => Error::never(
            Diagnostic::new(
                Code::AuthenticationFailed,
                format!("there is no such user, or it logs in by a plugin that is not supported: {found}"),
            )
            .help("`caching_sha2_password`, `mysql_native_password`, `ed25519` and `parsec` are; a password is never sent in plain text"),
        ),
        // Not shown as it is: some of these hold packets.
        mysql_async::Error::Driver(_) => {
            Error::never(Diagnostic::new(Code::Database, "the server sent what the driver does not understand"))
        }
        _ => Error::never(Diagnostic::new(Code::Database, "the database driver failed")),
    }
}

fn unclear(endpoint: &str) -> Diagnostic {
    let message = format!("the server does not know what became of a transaction: `{endpoint}`");
    Diagnostic::new(Trouble::Unclear.code(), message)
        .help("the next start looks at what was done, and carries on")
}

fn denied() -> Diagnostic {
    Diagnostic::new(Code::AccessDenied, "the user may not do this")
        .help("migrations need a user that may create what they create; the application's own user need not be that one")
}

/// A replica, or a primary that is about to be one: after a failover the same address may lead elsewhere.
fn read_only() -> Diagnostic {
    Diagnostic::new(
        Code::ReadOnly,
        "the server accepts no writes: it is a replica, or read-only by its settings",
    )
    .help("give the address of the primary server, or wait until this one is")
}

fn blocked() -> Diagnostic {
    Diagnostic::new(Code::MigrationBlocked, "a lock could not be had in time").help(
        "find out who holds it: `SELECT * FROM information_schema.INNODB_TRX`, or `SHOW FULL PROCESSLIST`",
    )
}

/// This connection does not hold the migration lock any more, if it ever did.
pub(super) fn lock_lost() -> Error {
    Error::never(
        Diagnostic::new(Code::LockLost, "this connection does not hold the migration lock that it took")
            .help("behind a proxy that shares connections give the database's own address (`--url`)")
            .help("a script that calls `RELEASE_ALL_LOCKS()` has the same effect: start again"),
    )
}

fn lost(endpoint: &str, why: &str) -> Error {
    Error::new(
        Kind::Lost,
        Diagnostic::new(
            Code::ConnectionLost,
            format!("Server has closed the connection: `{endpoint}`: {}", plimsoll_core::secret::mask(why)),
        )
        .help("the next start looks at what was done, and carries on"),
    )
}

/// What the server said.
pub(super) fn message(found: &ServerError) -> DatabaseMessage {
    DatabaseMessage { code: Some(found.code.to_string()), ..DatabaseMessage::new(found.message.as_str()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_cancelled_is_in_the_number() {
        let by = |found: mysql_async::Error| match found {
            mysql_async::Error::Server(found) => cancelled_by(&message(&found)),
            other => panic!("{other} is not the server's"),
        };
        assert_eq!(by(interrupted()), CancelledBy::Somebody);
        assert_eq!(by(limited("`--statement-timeout`")), CancelledBy::Limit);
    }
}
