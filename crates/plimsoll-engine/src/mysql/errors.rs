//! The errors of MySQL and MariaDB of which something is to be said, from the servers' own lists (MySQL 8.0, MariaDB 10.11).

use crate::classes::Trouble::{
    Again, Cancelled, Credentials, Damaged, Denied, Lost, Missing, NoRoom, NotYet, ReadOnly, Refused,
    Replica, Script, Tls, Unclear,
};
use crate::classes::{Known, row, script};

/// The table. Both servers have the same numbers up to 1879; behind that, one number may be two errors.
///
/// An error that is not in it is the script's. Those of the servers' lists are kept in `script_errors.tsv`, which a test compares
/// with the servers: a number that a new version brings is sorted on purpose.
pub const ERRORS: &[Known] = &[
    // Errors of files and memory, below 1000, are in no list: `perror` knows them.
    row("3", "EE_WRITE", Refused, NoRoom),
    row("5", "EE_OUTOFMEMORY", Refused, NoRoom),
    row("20", "EE_DISK_FULL", Refused, NoRoom),
    row("23", "EE_OUT_OF_FILERESOURCES", Refused, NoRoom),
    row("34", "EE_CAPACITY_EXCEEDED", Refused, NoRoom),
    // Who may log in: accounts are locked, passwords expire. A plugin that the driver does not speak is in the same place.
    row("1045", "ER_ACCESS_DENIED_ERROR", Credentials, Denied).tried(),
    row("1251", "ER_NOT_SUPPORTED_AUTH_MODE", Credentials, Script),
    row("1275", "ER_SERVER_IS_IN_SECURE_AUTH_MODE", Credentials, Script),
    row("1698", "ER_ACCESS_DENIED_NO_PASSWORD_ERROR", Credentials, Script),
    row("1862", "ER_MUST_CHANGE_PASSWORD_LOGIN", Credentials, Script).tried(),
    row("1873", "ER_ACCESS_DENIED_CHANGE_USER_ERROR", Credentials, Script),
    row("1820", "ER_MUST_CHANGE_PASSWORD", Credentials, Denied).tried(),
    row("3118", "ER_ACCOUNT_HAS_BEEN_LOCKED", Credentials, Script).of_mysql().tried(),
    row("3955", "ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK", Credentials, Script)
        .of_mysql()
        .tried(),
    row("4150", "ER_USER_IS_BLOCKED", Credentials, Script).of_mariadb(),
    row("4151", "ER_ACCOUNT_HAS_BEEN_LOCKED", Credentials, Script).of_mariadb().tried(),
    // A host is blocked for the mistakes that it has made; more tries only add to them.
    row("1129", "ER_HOST_IS_BLOCKED", Denied, Script),
    row("1130", "ER_HOST_NOT_PRIVILEGED", Denied, Script),
    // Rights: to a database, a table, a column, a routine; those that only a superuser has (1419: with a binary log).
    row("1044", "ER_DBACCESS_DENIED_ERROR", Denied, Denied).tried(),
    row("1142", "ER_TABLEACCESS_DENIED_ERROR", Refused, Denied),
    row("1143", "ER_COLUMNACCESS_DENIED_ERROR", Refused, Denied),
    row("1227", "ER_SPECIFIC_ACCESS_DENIED_ERROR", Refused, Denied),
    row("1370", "ER_PROCACCESS_DENIED_ERROR", Refused, Denied),
    row("1410", "ER_CANT_CREATE_USER_WITH_GRANT", Refused, Denied),
    row("1419", "ER_BINLOG_CREATE_ROUTINE_NEED_SUPER", Refused, Denied),
    row("3879", "ER_DB_ACCESS_DENIED", Refused, Denied).of_mysql(),
    row("1049", "ER_BAD_DB_ERROR", Missing, Script),
    row("3159", "ER_SECURE_TRANSPORT_REQUIRED", Tls, Script),
    // Full, or stopping, or somewhere on the way to the client. Whatever closes a session has closed it.
    row("1040", "ER_CON_COUNT_ERROR", NotYet, Lost).tried(),
    row("1042", "ER_BAD_HOST_ERROR", NotYet, Lost),
    row("1043", "ER_HANDSHAKE_ERROR", NotYet, Lost),
    row("1053", "ER_SERVER_SHUTDOWN", NotYet, Lost),
    row("1077", "ER_NORMAL_SHUTDOWN", NotYet, Lost),
    row("1078", "ER_GOT_SIGNAL", NotYet, Lost),
    row("1079", "ER_SHUTDOWN_COMPLETE", NotYet, Lost),
    row("1080", "ER_FORCING_CLOSE", NotYet, Lost),
    row("1152", "ER_ABORTING_CONNECTION", NotYet, Lost),
    row("1154", "ER_NET_READ_ERROR_FROM_PIPE", NotYet, Lost),
    row("1155", "ER_NET_FCNTL_ERROR", NotYet, Lost),
    row("1156", "ER_NET_PACKETS_OUT_OF_ORDER", NotYet, Lost),
    row("1157", "ER_NET_UNCOMPRESS_ERROR", NotYet, Lost),
    row("1158", "ER_NET_READ_ERROR", NotYet, Lost),
    row("1159", "ER_NET_READ_INTERRUPTED", NotYet, Lost),
    row("1160", "ER_NET_ERROR_ON_WRITE", NotYet, Lost),
    row("1161", "ER_NET_WRITE_INTERRUPTED", NotYet, Lost),
    row("1184", "ER_NEW_ABORTING_CONNECTION", NotYet, Lost),
    row("1203", "ER_TOO_MANY_USER_CONNECTIONS", NotYet, Lost),
    row("3032", "ER_SERVER_OFFLINE_MODE", NotYet, Lost).tried(),
    row("3168", "ER_SERVER_ISNT_AVAILABLE", NotYet, Lost).of_mysql(),
    row("3169", "ER_SESSION_WAS_KILLED", NotYet, Lost).of_mysql(),
    row("4031", "ER_CLIENT_INTERACTION_TIMEOUT", NotYet, Lost).of_mysql(),
    row("4081", "ER_DA_GLOBAL_CONN_LIMIT", NotYet, Lost).of_mysql(),
    row("4082", "ER_DA_CONN_LIMIT", NotYet, Lost).of_mysql(),
    row("1927", "ER_CONNECTION_KILLED", NotYet, Lost).of_mariadb(),
    // These three close nothing: the statement is refused.
    row("1041", "ER_OUT_OF_RESOURCES", NotYet, NoRoom),
    row("1135", "ER_CANT_CREATE_THREAD", NotYet, NoRoom),
    row("1226", "ER_USER_LIMIT_REACHED", NotYet, NoRoom).tried(),
    // A node of Galera that has no quorum, or is still being copied to; without these words the message is broken.
    row("1047", "ER_UNKNOWN_COM_ERROR", NotYet, NotYet).saying("WSREP"),
    // A replica, or a primary that is about to be one. 1290 is about many other options, too.
    row("1290", "ER_OPTION_PREVENTS_STATEMENT", Refused, Replica).saying("read-only").tried(),
    row("1836", "ER_READ_ONLY_MODE", Refused, Replica),
    row("1874", "ER_INNODB_READ_ONLY", Refused, Replica),
    // `innodb_force_recovery`: until somebody has saved the data.
    row("1881", "ER_INNODB_FORCED_RECOVERY", Refused, ReadOnly).of_mysql(),
    // Cancelled; or a time limit of the server's, for a SELECT or (MariaDB) for anything. We say 3024 ourselves for `socket_timeout`.
    row("1317", "ER_QUERY_INTERRUPTED", Refused, Cancelled),
    row("1969", "ER_STATEMENT_TIMEOUT", Refused, Cancelled).of_mariadb().tried(),
    row("3024", "ER_QUERY_TIMEOUT", Refused, Cancelled),
    // A lock that did not come in time, a deadlock (also in XA, or of user locks), no room for locks, NOWAIT, a table lock that gave
    // way to another. Of these the servers roll back a statement or a transaction, and we the rest of the transaction.
    row("1205", "ER_LOCK_WAIT_TIMEOUT", Refused, Again),
    row("1206", "ER_LOCK_TABLE_FULL", Refused, NoRoom),
    row("1213", "ER_LOCK_DEADLOCK", Refused, Again),
    row("1614", "ER_XA_RBDEADLOCK", Refused, Again),
    row("1689", "ER_LOCK_ABORTED", Refused, Again),
    row("3058", "ER_USER_LOCK_DEADLOCK", Refused, Again),
    row("3132", "ER_LOCKING_SERVICE_DEADLOCK", Refused, Again).of_mysql(),
    row("3133", "ER_LOCKING_SERVICE_TIMEOUT", Refused, Again).of_mysql(),
    row("3572", "ER_LOCK_NOWAIT", Refused, Again).of_mysql(),
    // A snapshot that is older than a change of the table, or of the row (`innodb_snapshot_isolation`).
    row("1412", "ER_TABLE_DEF_CHANGED", Refused, Again),
    row("1020", "ER_CHECKREAD", Refused, Again).of_mariadb(),
    // Group replication: another member's transaction was first; the group waits for its primary, or for what is older.
    row("3101", "ER_TRANSACTION_ROLLBACK_DURING_COMMIT", Refused, Again).of_mysql(),
    row("3781", "ER_GR_HOLD_WAIT_TIMEOUT", Refused, Again).of_mysql(),
    row("3782", "ER_GR_HOLD_KILLED", Refused, Again).of_mysql(),
    row("3797", "ER_GRP_TRX_CONSISTENCY_BEFORE", Refused, Again).of_mysql(),
    row("3798", "ER_GRP_TRX_CONSISTENCY_AFTER_ON_TRX_BEGIN", Refused, Again).of_mysql(),
    // An error in the middle of a commit, in the engine or in a plugin that takes part in it: some are rolled back, some are not.
    row("1180", "ER_ERROR_DURING_COMMIT", Refused, Unclear),
    row("3100", "ER_RUN_HOOK_ERROR", Refused, Unclear).of_mysql(),
    // Files and tables that cannot grow; memory; the undo log, the log of an index that is built while others write.
    row("1021", "ER_DISK_FULL", Refused, NoRoom),
    row("1037", "ER_OUTOFMEMORY", Refused, NoRoom),
    row("1038", "ER_OUT_OF_SORTMEMORY", Refused, NoRoom),
    row("1114", "ER_RECORD_FILE_FULL", Refused, NoRoom).tried(),
    row("1637", "ER_TOO_MANY_CONCURRENT_TRXS", Refused, NoRoom),
    row("1799", "ER_INNODB_ONLINE_LOG_TOO_BIG", Refused, NoRoom),
    row("1878", "ER_TEMP_FILE_WRITE_FAILURE", Refused, NoRoom),
    row("3015", "ER_ENGINE_OUT_OF_MEMORY", Refused, NoRoom),
    row("3019", "ER_INNODB_UNDO_LOG_FULL", Refused, NoRoom),
    row("3044", "ER_STD_BAD_ALLOC_ERROR", Refused, NoRoom),
    row("3675", "ER_DISK_FULL_NOWAIT", Refused, NoRoom).of_mysql(),
    row("3985", "ER_MDL_OUT_OF_RESOURCES", Refused, NoRoom).of_mysql(),
    row("1004", "ER_CANT_CREATE_FILE", Refused, NoRoom).saying("No space left"),
    row("1005", "ER_CANT_CREATE_TABLE", Refused, NoRoom).saying("No space left"),
    row("1006", "ER_CANT_CREATE_DB", Refused, NoRoom).saying("No space left"),
    row("1025", "ER_ERROR_ON_RENAME", Refused, NoRoom).saying("No space left"),
    row("1026", "ER_ERROR_ON_WRITE", Refused, NoRoom).saying("No space left"),
    row("1030", "ER_GET_ERRNO", Refused, NoRoom).saying("No space left"),
    // Files of the server's own.
    row("1033", "ER_NOT_FORM_FILE", Refused, Damaged),
    row("1034", "ER_NOT_KEYFILE", Refused, Damaged),
    row("1035", "ER_OLD_KEYFILE", Refused, Damaged),
    row("1194", "ER_CRASHED_ON_USAGE", Refused, Damaged),
    row("1195", "ER_CRASHED_ON_REPAIR", Refused, Damaged),
    row("1712", "ER_INDEX_CORRUPT", Refused, Damaged),
    row("1817", "ER_INNODB_INDEX_CORRUPT", Refused, Damaged),
    row("1877", "ER_TABLE_CORRUPT", Refused, Damaged),
    row("3000", "ER_FILE_CORRUPT", Refused, Damaged),
    row("1932", "ER_NO_SUCH_TABLE_IN_ENGINE", Refused, Damaged).of_mariadb(),
    // One statement is longer than the server takes; it closes the connection, too.
    script("1153", "ER_NET_PACKET_TOO_LARGE"),
    // The script's, although they sound like the server's: a transaction that it made read-only, a compressed table, a schema that
    // somebody closed, a lock of its own.
    script("1036", "ER_OPEN_AS_READONLY"),
    script("1099", "ER_TABLE_NOT_LOCKED_FOR_WRITE"),
    script("1192", "ER_LOCK_OR_ACTIVE_TRANSACTION"),
    script("1223", "ER_CANT_UPDATE_WITH_READLOCK"),
    script("1792", "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION"),
    script("3989", "ER_SCHEMA_READ_ONLY").of_mysql(),
    // The most frequent ones of scripts. All the others are in `script_errors.tsv`.
    script("1050", "ER_TABLE_EXISTS_ERROR").tried(),
    script("1054", "ER_BAD_FIELD_ERROR").tried(),
    script("1060", "ER_DUP_FIELDNAME").tried(),
    script("1061", "ER_DUP_KEYNAME").tried(),
    script("1062", "ER_DUP_ENTRY").tried(),
    script("1064", "ER_PARSE_ERROR").tried(),
    script("1091", "ER_CANT_DROP_FIELD_OR_KEY").tried(),
    script("1146", "ER_NO_SUCH_TABLE").tried(),
    script("1364", "ER_NO_DEFAULT_FOR_FIELD").tried(),
    script("1406", "ER_DATA_TOO_LONG").tried(),
    script("1451", "ER_ROW_IS_REFERENCED_2"),
    script("1452", "ER_NO_REFERENCED_ROW_2"),
    script("3819", "ER_CHECK_CONSTRAINT_VIOLATED").of_mysql().tried(),
    script("4025", "ER_CONSTRAINT_FAILED").of_mariadb().tried(),
];
