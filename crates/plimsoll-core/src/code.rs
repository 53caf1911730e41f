//! The table of diagnostic codes: Prisma's where Prisma has one, `PLM…` otherwise.
//!
//! A code is for ever: scripts, alerts and runbooks name it. `docs/errors.md` is made from this table.

use std::fmt;

/// What kind of trouble a code stands for; the command line turns it into an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The arguments cannot be understood.
    Usage,
    /// A migration failed, or history and project contradict each other.
    Data,
    /// The database could not be reached in time.
    Unreachable,
    /// A bug of ours.
    Bug,
    /// Somebody else is at work: try again later.
    TryAgain,
    /// Credentials or rights.
    Denied,
    /// The project or its configuration is wrong.
    Config,
    /// Ended by a signal.
    Interrupted,
    /// The command that was to be started is not there.
    CommandMissing,
    /// The command that was to be started is there, and cannot be.
    CommandUnusable,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal, $class:ident, $title:literal;)+) => {
        /// A stable diagnostic code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as people see it, such as `P3009` or `PLM104`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The kind of trouble.
            pub fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)+ }
            }

            /// What the code means, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// What leads to it and what to do, for the documentation.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc, "\n",)+),)+ }
            }
        }
    };
}

codes! {
    /// The server refused the user or the password. Nothing was changed.
    ///
    /// Check the credentials in the URL: a password with `@`, `:`, `/` or `%` in it has to be percent-encoded.
    /// A rotated Secret in a variable needs a new container, or the old password to stay valid for a while. In a file
    /// (`--url-file`) it is read again on each attempt, and refused credentials are tried again within `--wait`.
    AuthenticationFailed = "P1000", Denied, "authentication failed";
    /// Nothing answered at the address within `--wait`: refused, no such host, no route, a timeout, or a server
    /// that said all the time that it is starting up, shutting down, in recovery or out of connections.
    ///
    /// Check host and port, network policies, and whether the server is up. A longer `--wait` is no risk: it ends as
    /// soon as the database is there.
    Unreachable = "P1001", Unreachable, "the database cannot be reached";
    /// Another runner held the migration lock, or another process the database file, for all of `--lock-wait`.
    ///
    /// The message names the holder where the database knows it. Wait for it, or end it if it is stuck: the lock is
    /// freed with its connection. Start again afterwards.
    LockTimeout = "P1002", TryAgain, "another runner holds the migration lock";
    /// The database does not exist. Only `deploy` creates it, as Prisma does; commands that read never do.
    DatabaseMissing = "P1003", Config, "the database does not exist";
    /// The role may connect to the server, but not to this database, or may not do what Plimsoll itself needs: see the
    /// history, create it, create the database. What a migration may not do is a failed migration.
    AccessDenied = "P1010", Denied, "access denied";
    /// TLS was asked for and could not be agreed on: the server offers none, its certificate is not trusted,
    /// its name does not match, or a certificate file cannot be used.
    ///
    /// It is not tried again without TLS. `sslmode`, `sslaccept`, `sslrootcert` and `sslidentity` of the URL decide.
    Tls = "P1011", Config, "TLS failed";
    /// The schema, or a value that it takes from the environment, is not valid.
    SchemaInvalid = "P1012", Config, "the Prisma schema is not valid";
    /// The connection URL cannot be understood, or one of its parameters has a value that it cannot have.
    UrlInvalid = "P1013", Config, "the connection URL is not valid";
    /// The connection ended while a statement was under way, again and again.
    ///
    /// What was not committed has been rolled back by the database. The next start carries on.
    ConnectionLost = "P1017", Unreachable, "the connection was lost";
    /// The URL names a database of the server's own: `mysql`, `information_schema`, `performance_schema` or `sys`. A MySQL
    /// URL without a database means `mysql`.
    ///
    /// Nothing was done. Put the name of the application's database behind the host: `mysql://user:password@host:3306/app`.
    SystemDatabase = "P3004", Config, "this is a system database";
    /// The database holds tables, but no migration history: applying the first migration would collide with them.
    ///
    /// If the database already stands at some migrations, say so once: `plimsoll resolve --applied NAME` for each of
    /// them (baselining). If the tables belong to something else, give this project a schema of its own
    /// (`?schema=…`), or list them under `tables.external` of the Prisma config.
    NotEmpty = "P3005", Data, "The database schema is not empty";
    /// `resolve --applied` or `--resume` named a migration that the history already has as applied.
    AlreadyApplied = "P3008", Data, "the migration is already recorded as applied";
    /// The history holds a migration that was started and has neither finished nor been rolled back.
    ///
    /// It was left by a runner that could not put script and history into one transaction (Prisma never does). The
    /// message shows what was stored about it: the error, the statement, and how many statements of the script are done.
    ///
    /// There are three ways on. `resolve --resume NAME` has the next `deploy` carry on where it failed, if
    /// Plimsoll has recorded how far it got: remove what stood in its way, or correct the script behind the statements that
    /// are done. `resolve --rolled-back NAME` after undoing what is there has it applied again from its beginning.
    /// `resolve --applied NAME` after completing it by hand records that. docs/segments.md tells more.
    FailedMigrations = "P3009", Data, "migrate found failed migrations in the target database";
    /// `resolve --rolled-back` or `--resume` named a migration that the history does not have.
    NeverApplied = "P3011", Data, "the migration was never applied";
    /// `resolve --rolled-back` or `--resume` named a migration that has not failed.
    NotFailed = "P3012", Data, "the migration is not in a failed state";
    /// A pending migration's directory has no readable `migration.sql`. Nothing was applied.
    ///
    /// Restore the file, or delete the directory. In an image: check what `COPY` and `.dockerignore` leave out.
    ScriptMissing = "P3015", Config, "Could not find the migration file";
    /// `resolve --applied` or `--resume` named a migration that is not in the migrations directory.
    MigrationNotFound = "P3017", Config, "the migration could not be found";
    /// A statement of a migration failed.
    ///
    /// Unless the message says otherwise the database is as it was before this migration: script and history are one
    /// transaction. Correct the script (or the data that it met) and start again: nothing has to be resolved.
    MigrationFailed = "P3018", Data, "A migration failed to apply";
    /// `migration_lock.toml` names another provider than the schema: these migrations were made for another kind of
    /// database.
    ProviderMismatch = "P3019", Config, "the provider does not match migration_lock.toml";

    /// No schema was found in any of Prisma's places, or the one that was named does not exist.
    SchemaNotFound = "PLM101", Config, "could not find the Prisma schema";
    /// A file or directory of the project cannot be read.
    FileUnreadable = "PLM102", Config, "a file of the project cannot be read";
    /// The Prisma config holds a value that is needed and cannot be known without running it.
    ///
    /// Plimsoll reads the config without running JavaScript. The message points at the expression and names the
    /// flag or variable that replaces it.
    ConfigUnreadable = "PLM103", Config, "a value of the Prisma config cannot be read";
    /// Nothing says which database to use: no `--url`, no `datasource.url` in the Prisma config, no `url` in the
    /// schema.
    UrlMissing = "PLM104", Config, "no connection URL";
    /// The schema names a kind of database that this version does not migrate.
    ProviderUnsupported = "PLM105", Config, "this kind of database is not supported";
    /// The connection URL asks for something that Plimsoll cannot give, and leaving it out would weaken security or
    /// safety. The message names the parameter.
    ParameterUnsupported = "PLM106", Config, "a parameter of the connection URL is not supported";
    /// The same variable stands with the same value in two `.env` files. Prisma 6 refuses this, so the project does not
    /// deploy there either: delete it from one of them.
    DotenvConflict = "PLM107", Config, "the .env files are in conflict";
    /// The server is of another kind than the schema's provider says.
    WrongServer = "PLM108", Config, "the server is of another kind";
    /// The project has no migrations: its migrations directory is missing or empty. Nothing was done, and no database created.
    ///
    /// In an image that is nearly always a `COPY` that was forgotten, or a line too many in `.dockerignore`; an application
    /// behind it would meet a database without tables. If the project really has none yet, say so with `--allow-empty`.
    /// The commands of the group `migrate` go on, as Prisma does.
    NoMigrations = "PLM109", Config, "the project has no migrations";
    /// The file of `--url-file` was missing or empty for all of `--wait`.
    ///
    /// A sidecar or an operator may write it late, and it is waited for. Check the volume, its `items` and `mountPath`,
    /// and the key of the Secret.
    UrlFileMissing = "PLM110", Unreachable, "the file with the URL is not there yet";

    /// A statement of the script refuses to run inside a transaction, and the script cannot be cut around it for sure: it stands
    /// between `BEGIN` and `COMMIT`, or the script controls transactions by other means; or the database is SQLite, where
    /// scripts are not cut. On PostgreSQL any other script that cannot be one transaction is run in parts.
    ///
    /// Nothing of it is in the database. Move the statement behind the `COMMIT`, or put it alone into a migration of its own.
    ///
    /// On MySQL and MariaDB: the script uses what no record of what is done can be part of, so that after a kill nobody could carry
    /// on. That is `ROLLBACK`, `XA`, `COMMIT` or `ROLLBACK` with `CHAIN` or `RELEASE`, `SET autocommit` beside other settings, a `SET`
    /// of settings that calls a stored function, and `FLUSH … WITH READ LOCK`. Nothing of it was executed. Write the script so that it
    /// only does what is to stay (`START TRANSACTION` and `COMMIT` are fine), and such settings as statements of their own.
    CannotBeAtomic = "PLM201", Data, "the script cannot be one transaction";
    /// The script begins a transaction of its own and does not end it. Where that can be read from the script, nothing of it
    /// is executed; otherwise what came after its `BEGIN` was rolled back.
    TransactionLeftOpen = "PLM202", Data, "the script left a transaction open";
    /// The script reads data from the client (`COPY … FROM STDIN`) or sends data to it, as only an interactive
    /// client can. Nothing of it was executed. Use `INSERT`.
    NeedsClient = "PLM203", Data, "the script needs a client";
    /// A script for MySQL or MariaDB has a quote or a comment that does not end, or a statement that ends inside of a version
    /// comment (`/*!50001 … */`). Nothing of it was executed.
    ScriptUnreadable = "PLM218", Data, "the script cannot be read";
    /// The script has a command of `psql` in it (`\connect`, `\i`, `\gexec`, …): a backslash outside of quotes is never
    /// SQL. Nothing of it was executed. Leave the line out, or write in SQL what it does.
    MetaCommand = "PLM216", Data, "the script has a command of psql";
    /// The script would leave rows that point at nothing: more foreign keys are violated after it than before. It was
    /// rolled back.
    ForeignKeysViolated = "PLM204", Data, "the script would break foreign keys";
    /// The database stands at migrations that this project does not have, and `--if-ahead=refuse` was given.
    ///
    /// Usually an older release was started after a newer one had migrated. Deploy the newer one, or allow it with
    /// `--if-ahead=warn`.
    DatabaseAhead = "PLM205", Data, "the database is ahead of this project";
    /// The migration lock was lost before a migration could be committed; that migration was rolled back.
    ///
    /// A script may have freed it (`pg_advisory_unlock_all()`). Behind a pooler that Plimsoll could not know for one, a session's lock
    /// does not hold: say `pgbouncer=true` in the URL, or give the database's own address (`--url`, or `directUrl`).
    LockLost = "PLM206", TryAgain, "the migration lock was lost";
    /// The database file or the server accepts no writes.
    ReadOnly = "PLM207", Denied, "the database is read-only";
    /// SQLite's file could not be opened, read or written; or it is not a database.
    FileUnusable = "PLM208", Config, "the database file cannot be used";
    /// `wait` ended before the database stood at this project's migrations. It applies nothing itself.
    NotUpToDate = "PLM209", TryAgain, "the database is not at this project's migrations yet";
    /// A migration could not get the locks that it needs: again and again it waited too long, or was the victim of a
    /// deadlock. It was rolled back each time. Or the pooler gave it nothing but connections on which somebody had switched
    /// `standard_conforming_strings` off, where its strings may end elsewhere: then it was not sent.
    ///
    /// Find out who blocks (a long transaction, a backup, another runner), or start again when there is less to do.
    MigrationBlocked = "PLM211", TryAgain, "a migration could not get its locks";
    /// Somebody has cancelled a statement of a script that is not one transaction with its record (`KILL QUERY`; `pg_cancel_backend`
    /// while an index is built concurrently, and what it left could not be dropped). What is done stays done, nothing is recorded as
    /// failed, and the next start looks what became of that statement, and carries on or says what to do.
    ///
    /// A time limit that cancels a statement would do so again: that ends with another code, and says which limit.
    StatementCancelled = "PLM222", TryAgain, "a statement was cancelled, and the next start carries on";
    /// The server, or the disk, has no room left: disk full, out of memory, too many connections or locks.
    ///
    /// What was under way has been rolled back by the database. Make room, then start again.
    NoRoom = "PLM212", TryAgain, "the database has no room left";
    /// The script ended the transaction that was to hold it and its history row, in a way that could not be seen before.
    ///
    /// Part of it may be committed. The history has a started row; look at what is in the database, then use `resolve`.
    TransactionEnded = "PLM213", Data, "the script ended its transaction";
    /// The database stands at migrations that this project does not have, `--if-ahead=wait` was given, and it stood there
    /// for all of `--lock-wait`.
    ///
    /// The next start waits again. Let the newer release take over, undo its migrations, or go on with `--if-ahead=warn`
    /// if this release can live with them.
    StillAhead = "PLM214", TryAgain, "the database is still ahead of this project";
    /// The file of `--url-file` named one database when this run connected, and names another one now: another host, port,
    /// database, schema or other `options`. Nothing was done in the new one.
    ///
    /// A run works on one database, so it ended; what it had applied stays in the first one, and what was under way there
    /// when the connection was lost is committed or rolled back. The next start works on the database that the file names
    /// then. User, password and TLS may change at any time.
    UrlMoved = "PLM215", TryAgain, "the URL names another database now";
    /// `resolve --resume` refused an attempt that nobody can carry on: nothing is recorded of how far it got (Prisma never
    /// does, nor does a script that manages transactions by itself), a statement was under way when its runner died and the
    /// script has been changed since, it stopped where only a person can go on, or statements that are done have another text in
    /// the script now.
    ///
    /// The message says which, and what is left to do. Nothing was changed.
    NotResumable = "PLM220", Data, "the attempt cannot be carried on";
    /// A runner died in a script that is carried out statement by statement, and the next one cannot carry on by itself: nobody
    /// can tell whether the statement under way took effect (a procedure, a table without transactions, a server from before
    /// atomic definitions), a later statement needs what ended with that runner's session (a user variable, a temporary
    /// table), statements that are done have another text now, or somebody who took no lock began the migration as well.
    ///
    /// The message names the statement, and which ways on there are. Look whether it took effect first: `resolve --resume`, where
    /// it is named, runs it again.
    StepUnclear = "PLM221", Data, "an interrupted script cannot be carried on";
    /// The connection goes through a pooler that hands it on after each transaction (PgBouncer with `pool_mode = transaction`), and
    /// a migration needs a connection that stays its own: it has statements that refuse a transaction (`CREATE INDEX
    /// CONCURRENTLY`), several transactions, or something that would stay behind for another client of the pooler.
    ///
    /// Nothing was applied, unless the message says that only the server could tell. Give the database's own address: `directUrl` in the
    /// datasource, or `--url`. A pooler with `pool_mode = session` does as well. docs/poolers.md tells more.
    PoolerShares = "PLM230", Config, "the pooler shares its connections";
    /// The pooler takes no transactions (PgBouncer with `pool_mode = statement`), and a migration is one. Nothing was done.
    ///
    /// Give the database's own address (`directUrl` in the datasource, or `--url`), or have the pooler use `pool_mode = transaction`
    /// for this database. `status`, `plan` and `wait` only read, and work there.
    PoolerTakesNoTransactions = "PLM231", Config, "the pooler takes no transactions";
    /// The history table exists, but cannot be read as one: columns are missing, or of another kind.
    HistoryUnreadable = "PLM210", Data, "the history cannot be read";

    /// A manifest is not YAML or JSON that Kubernetes reads: its syntax is wrong, a key is there twice or is no text, an
    /// alias has no anchor, or a number is none that JSON has.
    ///
    /// The message points at the place. The API server would refuse it too, or read something else than it says.
    ManifestUnreadable = "PLM421", Config, "a manifest cannot be read";
    /// A manifest still holds `{{ … }}`: it is a template, and what it will say is not known yet.
    ///
    /// Render it first: `helm template RELEASE CHART | plimsoll inject -`, or use Plimsoll as Helm's post-renderer.
    ManifestTemplate = "PLM422", Config, "a manifest is a template";
    /// A manifest is nested deeper, or its aliases stand for more, than any manifest needs. It is not read to its end, so
    /// that it cannot use up memory or stack.
    ManifestTooLarge = "PLM423", Config, "a manifest is too large";
    /// The change that is wanted cannot be made in the text of a manifest without rewriting what surrounds it. Nothing was
    /// written.
    ///
    /// Write the part that the message names in plain block style, without anchors and tags, and start again.
    ManifestUneditable = "PLM424", Config, "a manifest cannot be edited";
    /// `inject` found workloads and nothing that says which of them needs a gate, or `--target` names none of them.
    ///
    /// Name it with `--target`, or with the label `plimsoll.dev/inject: "true"`.
    InjectNothing = "PLM431", Config, "nothing says which workload needs a gate";
    /// `inject` knows which workload to gate, but not how: which container, where the URL comes from, a name that is taken.
    /// Nothing was changed. The message names the flag that decides.
    InjectUnclear = "PLM432", Config, "the gate cannot be decided";
    /// A container runs `prisma migrate deploy` in a way that cannot surely be taken over: behind `||`, in a loop, with a
    /// pipe, or beside other work. Nothing was changed.
    ///
    /// `--existing keep` puts the gate before it and leaves the command; it then finds nothing to do.
    InjectCommand = "PLM433", Config, "the Prisma command cannot be taken over";
    /// A flag, annotation or label of `inject` does not exist, or cannot have this value.
    InjectOption = "PLM434", Usage, "wrong option of inject";
    /// The workload cannot have a gate: its pods run on Windows, or it has no containers.
    InjectUnsupported = "PLM435", Config, "the workload cannot have a gate";
    /// The annotation in which `inject` keeps what it did cannot be read, or speaks of a container that is not there, or would
    /// have to give back a password, which it does not keep. Nothing is changed.
    InjectRecord = "PLM436", Config, "the record of the gate cannot be followed";

    /// SIGTERM, SIGINT, SIGQUIT or SIGHUP arrived. The message says whether the statement under way was rolled back, or did not stop in
    /// time and may be committed or not. What had been applied before stays applied; the next start looks, and carries on or says what to do.
    Interrupted = "PLM301", Interrupted, "interrupted";
    /// The run took longer than `--timeout` allows: connecting, waiting for the lock and applying are all counted. The statement
    /// under way was cancelled and rolled back, or the message says that it may be committed; the lock is free.
    ///
    /// The message says what is not applied. What had been applied before stays applied; the next start looks, and carries on or
    /// says what to do.
    TimedOut = "PLM309", TryAgain, "the time of the run is over";
    /// The arguments cannot be understood.
    Usage = "PLM302", Usage, "wrong arguments";
    /// The database said something that Plimsoll has no better code for: see its message.
    Database = "PLM303", Data, "the database reported an error";
    /// `exec` was given a command that is not there: no such file, or none of that name in any directory of `PATH`.
    ///
    /// It is looked for before anything is migrated, so that usually nothing was. Look into the image, not only into the
    /// manifest: an image for production may have no shell.
    CommandNotFound = "PLM304", CommandMissing, "the command cannot be found";
    /// `exec` was given a command that cannot be executed: a directory, a file without the right to be executed, a program
    /// for another processor.
    CommandNotExecutable = "PLM305", CommandUnusable, "the command cannot be executed";
    /// `install` could not put the program into the directory: it is missing, not writable, or full.
    InstallFailed = "PLM306", Config, "the program cannot be installed";
    /// Standard output could not be written (a full disk), and the answer was all that the command was for: `status`, `plan`, `inject`.
    /// What is in the file is not all of it: do not use it. That nobody reads a pipe to its end is no error.
    ///
    /// What `deploy` and the other commands that do something are for is done all the same: they warn, and their exit code is that
    /// of what they did.
    AnswerLost = "PLM307", TryAgain, "the answer could not be written";
    /// The process may open fewer files at a time than any run needs. Nothing was done.
    ProcessLimit = "PLM308", Config, "a limit of the process is too low";
    /// Plimsoll itself went wrong. What was committed stays, what was not is rolled back; the next start looks what became of what was
    /// under way, and carries on or says what to do.
    ///
    /// Please report it with the message.
    Bug = "PLM399", Bug, "a bug in plimsoll";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_codes_are_the_same() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
