//! Calls of functions that somebody has stored, which may do anything to rows.

use super::super::lexer::Kind;
use super::super::phrase::Phrase;

/// The server's own functions, and words of the grammar, that stand before a parenthesis and change no rows; sorted.
///
/// A name that is missing here is taken for a stored function, whose statement is recorded with the rows around it,
/// and whose value another session cannot have again.
#[rustfmt::skip]
const HARMLESS: [&str; 263] = [
    "abs", "acos", "adddate", "addtime", "all", "and", "any", "as", "ascii", "asin", "atan", "atan2", "avg",
    "between", "bin", "bin_to_uuid", "binary", "bit_and", "bit_length", "bit_or", "bit_xor", "by", "case",
    "cast", "ceil", "ceiling", "char", "char_length", "character_length", "charset", "coalesce",
    "coercibility", "collation", "concat", "concat_ws", "connection_id", "conv", "convert", "convert_tz",
    "cos", "cot", "count", "crc32", "curdate", "current_date", "current_time", "current_timestamp",
    "current_user", "curtime", "database", "date", "date_add", "date_format", "date_sub", "datediff", "day",
    "dayname", "dayofmonth", "dayofweek", "dayofyear", "degrees", "dense_rank", "distinct", "div", "else",
    "elt", "exists", "exp", "export_set", "extract", "field", "find_in_set", "first_value", "floor",
    "format", "found_rows", "from", "from_base64", "from_days", "from_unixtime", "get_format", "greatest",
    "group_concat", "having", "hex", "hour", "if", "ifnull", "in", "inet_aton", "inet_ntoa", "insert",
    "instr", "interval", "into", "is", "isnull", "join", "json_array", "json_arrayagg", "json_contains",
    "json_extract", "json_insert", "json_keys", "json_length", "json_merge_patch", "json_merge_preserve",
    "json_object", "json_objectagg", "json_quote", "json_remove", "json_replace", "json_search", "json_set",
    "json_type", "json_unquote", "json_valid", "json_value", "lag", "last_day", "last_insert_id",
    "last_value", "lcase", "lead", "least", "left", "length", "like", "limit", "ln", "localtime",
    "localtimestamp", "locate", "log", "log10", "log2", "lower", "lpad", "ltrim", "make_set", "makedate",
    "maketime", "max", "md5", "microsecond", "mid", "min", "minute", "mod", "month", "monthname", "not",
    "now", "ntile", "nullif", "oct", "octet_length", "on", "or", "ord", "over", "partition", "period_add",
    "period_diff", "pi", "position", "pow", "power", "quarter", "quote", "radians", "rand", "rank",
    "recursive", "regexp", "regexp_instr", "regexp_like", "regexp_replace", "regexp_substr", "repeat",
    "replace", "return", "reverse", "right", "rlike", "round", "row_count", "row_number", "rpad", "rtrim",
    "schema", "sec_to_time", "second", "select", "session_user", "set", "sha", "sha1", "sha2", "sign",
    "sin", "some", "soundex", "sounds", "space", "sqrt", "std", "stddev", "stddev_pop", "stddev_samp",
    "str_to_date", "strcmp", "subdate", "substr", "substring", "substring_index", "subtime", "sum",
    "sysdate", "system_user", "tan", "then", "time", "time_format", "time_to_sec", "timediff", "timestamp",
    "timestampadd", "timestampdiff", "to_base64", "to_days", "to_seconds", "trim", "truncate", "ucase",
    "unhex", "union", "unix_timestamp", "upper", "user", "using", "utc_date", "utc_time", "utc_timestamp",
    "uuid", "uuid_short", "uuid_to_bin", "value", "values", "var_pop", "var_samp", "variance", "version",
    "week", "weekday", "weekofyear", "weight_string", "when", "where", "with", "xor", "year", "yearweek",
];

/// Whether it calls a function that may be a stored one.
pub(super) fn stored(phrase: &Phrase<'_>) -> bool {
    (1..phrase.len()).filter(|n| phrase.kind(*n) == Some(Kind::Open)).any(|open| is_stored(phrase, open - 1))
}

fn is_stored(phrase: &Phrase<'_>, at: usize) -> bool {
    let qualified = at > 0 && phrase.text(at - 1) == ".";
    match phrase.kind(at) {
        // The server's own, as in `SET sql_mode = sys.list_add(@@sql_mode, …)`.
        Some(Kind::Word) if qualified && at > 1 && phrase.word(at - 2) == "sys" => false,
        Some(Kind::Name) => true,
        Some(Kind::Word) => qualified || HARMLESS.binary_search(&phrase.word(at).as_str()).is_err(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted_as_the_search_needs_them() {
        assert!(HARMLESS.is_sorted());
    }
}
