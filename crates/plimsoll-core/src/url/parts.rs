//! The parts of a URL that every server has.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::invalid;
use crate::code::Code;
use crate::diagnostic::Diagnostic;

/// The parts of a URL; no error shows any of them.
pub(super) fn parse(text: &str) -> Result<url::Url, Diagnostic> {
    let url = url::Url::parse(text)
        .map_err(|error| invalid(format_args!("{error} in database URL")).help(ENCODED))?;
    let in_name = |query: &str| query.split('&').any(|it| it.split('=').next().is_some_and(is_rest));
    // Without a user whatever stands before an `@`, in a value too, may be one.
    let nobody = url.username().is_empty() && url.password().is_none() && is_rest(text);
    if nobody
        || url.fragment().is_some_and(is_rest)
        || url.query().is_some_and(in_name)
        || is_rest(url.path())
    {
        return Err(invalid("there is an `@` behind the host").help(ENCODED));
    }
    Ok(url)
}

const ENCODED: &str = "a password with `@`, `:`, `/`, `#`, `%` or `?` in it has to be percent-encoded";

/// Whether a part behind the host looks like the rest of a password. It must not become a name that is shown, nor what stands
/// before it a port: the password `123#x` ends where the URL's address seems to.
fn is_rest(part: &str) -> bool {
    part.contains('@')
}

/// The host, without the brackets of an IPv6 address; `localhost` if there is none.
pub(super) fn host(url: &url::Url) -> Result<String, Diagnostic> {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    decode(if host.is_empty() { "localhost" } else { host }, "host")
}

/// The database, if the path names one.
pub(super) fn database(url: &url::Url) -> Result<Option<String>, Diagnostic> {
    let path = url.path().trim_start_matches('/');
    Ok(Some(decode(path, "database")?).filter(|name| !name.is_empty()))
}

/// A part that may be percent-encoded.
pub(super) fn decode(text: &str, what: &str) -> Result<String, Diagnostic> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| invalid(format_args!("the {what} is not UTF-8 after decoding")))
}

/// A parameter that cannot be had, where leaving it out would be wrong.
pub(super) fn refused(name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::ParameterUnsupported,
        format!("the parameter `{name}` of the connection URL is not supported"),
    )
}
