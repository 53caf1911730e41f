//! What has to be true of any connection URL.

use std::path::Path;

use plimsoll_core::url::DatabaseUrl;
use plimsoll_core::{Provider, Secret};

/// Passwords that no other part of these URLs holds. One could be a port, if it were cut off where the text begins.
const PASSWORDS: [&str; 2] = ["zq-hunter2-zq", "49061"];

const SERVERS: [(Provider, &str); 2] = [(Provider::Postgresql, "postgresql"), (Provider::Mysql, "mysql")];

/// Panics if a URL that this text is a part of shows its password, or if the text as a whole does any harm.
pub fn check(text: &str) {
    for provider in [Provider::Postgresql, Provider::Mysql, Provider::Sqlite, Provider::Cockroachdb] {
        let _ = DatabaseUrl::parse(provider, &Secret::new(text), Path::new("/base"));
    }
    for (provider, scheme) in SERVERS {
        for password in PASSWORDS {
            let user = format!("{scheme}://user:{password}");
            for url in
                [format!("{user}{text}@host/db"), format!("{user}@{text}"), format!("{user}@host/db{text}")]
            {
                hidden(provider, &url, password);
            }
        }
    }
}

/// The text may hold the password itself, as a host perhaps: then there is nothing to hide.
fn hidden(provider: Provider, url: &str, password: &str) {
    if url.matches(password).count() > 1 {
        return;
    }
    let shown = match DatabaseUrl::parse(provider, &Secret::new(url), Path::new("/base")) {
        Ok(url) => format!("{url:?} {} {} {:?}", url.database(), url.address(), url.unused()),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!shown.contains(password), "{url:?} shows its password: {shown}");
}
