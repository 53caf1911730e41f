//! A gate holds the migrations of its image: one that is left behind by its application's lets the wrong release start.

use serde_json::Value;

use crate::record::Record;
use crate::select::{Candidate, application};
use crate::value::{list, name, named, text};

/// What is to be known about the image of a gate that an earlier run made, and that this run made anew.
pub(crate) fn followed(before: &Value, after: &Value, record: &Record, container: &str) -> Option<String> {
    let image = |object: &Value, wanted: &str| {
        let gate = named(list(object.pointer(&record.pod)?, "/initContainers"), wanted)?;
        text(gate, "/image").map(str::to_owned)
    };
    let (was, is) = (image(before, &record.container)?, image(after, container)?);
    (was != is).then(|| {
        format!("its image was `{was}`, of another release than the application's: it is `{is}` now")
    })
}

/// The same about a gate that is kept as it is.
pub(crate) fn left_behind(
    candidate: &Candidate,
    before: &Value,
    record: &Record,
    needed: &[String],
) -> Option<String> {
    let gate = named(list(before.pointer(&record.pod)?, "/initContainers"), &record.container)?;
    let pod = candidate.object.pointer(&candidate.workload.pod())?;
    // One that was there before has the image that somebody gave it.
    if named(list(pod, "/initContainers"), &record.container).is_some() {
        return None;
    }
    let base = application(candidate, pod, needed).ok()?;
    let (own, others) = (text(gate, "/image")?, text(base, "/image")?);
    (own != others).then(|| {
        format!(
            "the gate runs `{own}` and `{}` runs `{others}`: it looks after another release's migrations. Set both, or inject again with `--target {}`",
            name(base),
            candidate.workload.name
        )
    })
}
