//! Where messages of MySQL's protocol end: packets with a length of three bytes and a number of one; one that is as long as
//! it can be is followed by its rest.

use super::relay::Cut;

const HEAD: usize = 4;
const LONGEST: usize = 0xff_ff_ff;

/// The flag of a server that has more results for the same message.
const MORE_RESULTS: u16 = 0x0008;

/// The runner's side: every message is a step.
pub(super) fn message(bytes: &[u8]) -> Cut {
    packet(bytes).map_or(Cut::Later, |packet| Cut::Step(packet.length))
}

/// The server's side: while somebody logs in every packet is a step; then everything until the last result is whole.
#[derive(Default)]
pub(super) struct Server {
    phase: Phase,
}

#[derive(Default, PartialEq, Eq)]
enum Phase {
    /// The server speaks first.
    #[default]
    Greeting,
    LoggingIn,
    Commands,
}

impl Server {
    pub(super) fn next(&mut self, bytes: &[u8]) -> Cut {
        match self.phase {
            Phase::Commands => results(bytes).map_or(Cut::Later, Cut::Step),
            Phase::Greeting | Phase::LoggingIn => {
                let Some(packet) = packet(bytes) else { return Cut::Later };
                let is_let_in = self.phase == Phase::LoggingIn && packet.body.first() == Some(&0);
                self.phase = if is_let_in { Phase::Commands } else { Phase::LoggingIn };
                Cut::Step(packet.length)
            }
        }
    }
}

/// The length of all results of one message, if they are here.
fn results(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        let (length, has_more) = result(&bytes[end..])?;
        end += length;
        if !has_more {
            return Some(end);
        }
    }
}

/// The length of one result, and whether another one follows.
fn result(bytes: &[u8]) -> Option<(usize, bool)> {
    let first = packet(bytes)?;
    match first.body.first()? {
        0x00 | 0xfe => return Some((first.length, first.has_more())),
        0xff => return Some((first.length, false)),
        _ => {}
    }
    let (columns, _) = integer(first.body)?;
    let mut end = first.length;
    for _ in 0..columns {
        end += packet(&bytes[end..])?.length;
    }
    // Clients of old get a mark between columns and rows; it is shorter than any row or end can be that begins like it.
    let mark = packet(&bytes[end..])?;
    if mark.body.first() == Some(&0xfe) && mark.body.len() == MARK {
        end += mark.length;
    }
    loop {
        let row = packet(&bytes[end..])?;
        end += row.length;
        match row.body.first()? {
            // Of a row this would be a value of 16 megabytes.
            0xfe if row.body.len() < LONGEST => return Some((end, row.has_more())),
            0xff => return Some((end, false)),
            _ => {}
        }
    }
}

/// The length of the mark of old.
const MARK: usize = 5;

struct Packet<'a> {
    /// With its heads.
    length: usize,
    /// Without its head; of a long one its beginning.
    body: &'a [u8],
}

impl Packet<'_> {
    /// The flag of the end of a result.
    fn has_more(&self) -> bool {
        let flags = if self.body[0] == 0xfe && self.body.len() == MARK {
            self.body.get(3..5)
        } else {
            let (_, rows) = integer(&self.body[1..]).unwrap_or_default();
            let (_, id) = integer(self.body.get(1 + rows..).unwrap_or_default()).unwrap_or_default();
            self.body.get(1 + rows + id..3 + rows + id)
        };
        flags.is_some_and(|flags| u16::from_le_bytes([flags[0], flags[1]]) & MORE_RESULTS != 0)
    }
}

fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let mut end = 0;
    loop {
        let head = bytes.get(end..)?.first_chunk::<HEAD>()?;
        let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
        end += HEAD + length;
        if bytes.len() < end {
            return None;
        }
        if length < LONGEST {
            return Some(Packet { length: end, body: &bytes[HEAD..end.min(HEAD + LONGEST)] });
        }
    }
}

/// A number of one, three, four or nine bytes, and how many they are.
fn integer(bytes: &[u8]) -> Option<(u64, usize)> {
    let width = match bytes.first()? {
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        &small => return Some((small.into(), 1)),
    };
    let digits = bytes.get(1..=width)?;
    Some((digits.iter().rev().fold(0, |number, digit| number << 8 | u64::from(*digit)), 1 + width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(bodies: &[&[u8]]) -> Vec<u8> {
        let one = |body: &&[u8]| {
            let length = u32::try_from(body.len()).unwrap().to_le_bytes();
            [&length[..3], &[0], body].concat()
        };
        bodies.iter().flat_map(one).collect()
    }

    const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
    const OK_MORE: &[u8] = &[0, 0, 0, 0x0a, 0, 0, 0];
    const END: &[u8] = &[0xfe, 0, 0, 2, 0, 0, 0];
    const OLD_END: &[u8] = &[0xfe, 0, 0, 2, 0];
    const OLD_END_MORE: &[u8] = &[0xfe, 0, 0, 0x0a, 0];

    #[test]
    fn while_somebody_logs_in_every_packet_is_a_step() {
        let mut server = Server::default();
        let greeting = packets(&[&[10, 56]]);
        assert_eq!(server.next(&greeting[..5]), Cut::Later);
        assert_eq!(server.next(&greeting), Cut::Step(6));
        assert_eq!(server.next(&packets(&[&[1, 3], OK])), Cut::Step(6));
        assert_eq!(server.next(&packets(&[OK])), Cut::Step(11));
        assert!(server.phase == Phase::Commands);
    }

    #[test]
    fn a_result_ends_behind_its_rows() {
        for end in [vec![END], vec![OLD_END, OLD_END]] {
            let (mark, end) = end.split_at(end.len() - 1);
            let parts =
                [&[&[2][..], b"column", b"column"], mark, &[&b"\x01a\x01b"[..], b"\xfb\x01b"], end].concat();
            let bytes = packets(&parts);
            assert_eq!(results(&bytes[..bytes.len() - 1]), None);
            assert_eq!(results(&[&bytes[..], b"x"].concat()), Some(bytes.len()));
        }
    }

    #[test]
    fn an_answer_ends_behind_its_last_result() {
        let procedure: [&[u8]; 7] = [OK_MORE, &[1], b"column", OLD_END, b"\x01a", OLD_END_MORE, OK];
        let bytes = packets(&procedure);
        assert_eq!(results(&bytes), Some(bytes.len()));
        assert_eq!(results(&bytes[..bytes.len() - 11]), None);
        let failed = packets(&[OK_MORE, b"\xff\x15\x04"]);
        assert_eq!(results(&failed), Some(failed.len()));
    }

    #[test]
    fn a_row_of_many_parts_is_one() {
        let long = vec![b'x'; LONGEST];
        let bytes = packets(&[&long, b"rest"]);
        assert_eq!(message(&bytes[..LONGEST + 8]), Cut::Later);
        assert_eq!(message(&bytes), Cut::Step(bytes.len()));
    }
}
