//! What the gate asks of a node.

use serde_json::{Value, json};

use crate::facts::{Amount, GUARANTEED, LIMITS, REQUESTS};
use crate::value::list;

/// Whether a container is new, or was there before and had to do with less or more than we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    New,
    TakenOver,
}

/// Requests and limits, and what to say about them; none if the pod has resources of its own as a whole.
///
/// The largest init container counts for the whole life of a pod, so that the requests are small. A pod whose containers are all
/// `Guaranteed` stays so: there the gate's requests are its limits. A container that is taken over and had no limit gets none.
pub(super) fn of(pod: &Value, origin: Origin) -> (Option<Value>, Option<String>) {
    if pod.get("resources").is_some_and(|resources| !resources.is_null()) {
        return (None, Some("it has no resources of its own: the pod as a whole has".to_owned()));
    }
    if is_guaranteed(pod) {
        let why = "its requests are its limits, so that the pod stays `Guaranteed`".to_owned();
        return (Some(amounts(GUARANTEED, GUARANTEED)), Some(why));
    }
    if origin == Origin::New {
        return (Some(amounts(REQUESTS, LIMITS)), None);
    }
    (Some(json!({"requests": amount(REQUESTS)})), None)
}

fn amounts(requests: Amount, limits: Amount) -> Value {
    json!({"requests": amount(requests), "limits": amount(limits)})
}

fn amount((cpu, memory): Amount) -> Value {
    json!({"cpu": cpu, "memory": memory})
}

fn is_guaranteed(pod: &Value) -> bool {
    let mut containers = list(pod, "/containers").iter().chain(list(pod, "/initContainers"));
    !list(pod, "/containers").is_empty()
        && containers.all(|container| ["cpu", "memory"].iter().all(|kind| is_fixed(container, kind)))
}

/// Whether limit and request of a container are the same amount; a request that is missing is the limit.
fn is_fixed(container: &Value, kind: &str) -> bool {
    let written = |which: &str| match container.pointer(&format!("/resources/{which}/{kind}"))? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    match (written("limits"), written("requests")) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(limit), Some(request)) => limit == request || is_same(&limit, &request),
    }
}

/// Whether two quantities of Kubernetes' are one amount, as `1` and `1000m`. What is no quantity is the same as nothing.
fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (billionths(left), billionths(right));
    left.is_some() && left == right
}

/// A quantity in billionths, which are the least that Kubernetes counts. Its grammar is that of
/// `k8s.io/apimachinery/pkg/api/resource`: digits, perhaps with a point, and a power of 1000, of 1024 or of ten.
fn billionths(text: &str) -> Option<i128> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{part}").parse().ok()?;
    let scale = 10_i128.checked_pow(part.len().try_into().ok()?)?;
    digits.checked_mul(factor(suffix)?)?.checked_div(scale)
}

/// What a suffix stands for, in billionths.
fn factor(suffix: &str) -> Option<i128> {
    const ONE: i128 = 1_000_000_000;
    let exponent = |letters: &[&str]| letters.iter().position(|letter| *letter == suffix);
    if let Some(power) = exponent(&["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]) {
        return 1000_i128.checked_pow(power.try_into().ok()?);
    }
    if let Some(power) = exponent(&["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]) {
        return Some(ONE << (10 * (power + 1)));
    }
    let power: u32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    10_i128.checked_pow(power)?.checked_mul(ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_amount_can_be_written_in_many_ways() {
        for (left, right) in
            [("1", "1000m"), ("0.5", "500m"), ("1Gi", "1024Mi"), ("1e3", "1k"), ("1.5Ki", "1536")]
        {
            assert!(is_same(left, right), "{left} {right}");
        }
        for (left, right) in [("1", "100m"), ("1G", "1Gi"), ("x", "x"), ("", ""), ("1e99", "1e99")] {
            assert!(!is_same(left, right), "{left} {right}");
        }
    }
}
