//! What has to be in an image.

use super::files;
use crate::peer::{Peer, Tools};
use crate::results::{Cell, Measured};
use crate::stats::Summary;

/// The bytes of all files that a peer needs.
pub(super) fn weigh(peer: &dyn Peer, tools: &Tools) -> Cell {
    let mut bytes = 0;
    let weighed = files::each(peer, tools, |_, metadata| {
        bytes += metadata.len();
        Ok(())
    });
    if let Err(why) = weighed {
        return Cell::Failed(why);
    }
    let mut kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX).into();
    kibibytes *= 1024.0;
    let Some(value) = Summary::of([kibibytes]) else { return Cell::Failed("nothing is installed".into()) };
    Cell::Measured(Measured { runs: 1, value, cpu: None, mebibytes: None, alone: None, note: String::new() })
}
