//! The headers that a collector asks for: `name=value` between commas, percent-encoded. The values are secrets.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::{Signal, Variables};

/// What the variables say. What cannot be a header is left out, with a warning that does not show it.
pub(super) fn read(signal: Signal, variables: &mut Variables<'_>) -> HeaderMap {
    let Some((variable, text)) = variables.of(signal, "HEADERS") else { return HeaderMap::new() };
    let mut headers = HeaderMap::new();
    for (index, pair) in text.split(',').enumerate().filter(|(_, pair)| !pair.trim().is_empty()) {
        match header(pair) {
            Some((name, value)) => {
                headers.insert(name, value);
            }
            // Not even its name: a value that has a comma in it looks like one.
            None => variables.warn(format!(
                "`{variable}`: number {} is no `name=value` for a header, percent-encoded: it is left out",
                index + 1
            )),
        }
    }
    headers
}

fn header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let value: Vec<u8> = percent_decode_str(value.trim()).collect();
    let mut value = HeaderValue::from_bytes(&value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(text: &str) -> (HeaderMap, Vec<String>) {
        let look = |name: &str| (name == "OTEL_EXPORTER_OTLP_HEADERS").then(|| text.to_owned());
        let mut variables = Variables::new(&look);
        let headers = read(Signal::Traces, &mut variables);
        (headers, variables.into_warnings())
    }

    #[test]
    fn values_are_decoded_and_never_shown() {
        let (headers, warnings) = read_from("authorization=Bearer%20hunter2, x-tenant=a=b");
        assert_eq!(headers["authorization"], "Bearer hunter2");
        assert_eq!(headers["x-tenant"], "a=b");
        assert!(warnings.is_empty() && !format!("{headers:?}").contains("hunter2"), "{headers:?}");
    }

    #[test]
    fn what_is_no_header_is_left_out_and_not_shown() {
        let (headers, warnings) = read_from("hunter2,a b=hunter2,x=line%0Ahunter2,y=1");
        assert_eq!(headers.len(), 1);
        assert_eq!(warnings.len(), 3);
        assert!(!format!("{warnings:?}").contains("hunter2"), "{warnings:?}");
        assert!(warnings[0].contains("number 1"), "{warnings:?}");
    }
}
