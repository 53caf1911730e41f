//! Where messages of PostgreSQL's protocol 3.0 end: a type of one byte and a length that counts itself; the first message
//! of a connection has no type.

use super::relay::Cut;

/// A request for TLS, and one for encryption by GSSAPI: what the first message says where others have their version.
const ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// The runner's side: every message is a step.
#[derive(Default)]
pub(super) struct Runner {
    has_started: bool,
}

impl Runner {
    pub(super) fn next(&mut self, bytes: &[u8]) -> Cut {
        if self.has_started {
            return message(bytes).map_or(Cut::Later, Cut::Step);
        }
        let Some(length) = counted(bytes, 0) else { return Cut::Later };
        if number(bytes, 4).is_some_and(|code| ENCRYPTION.contains(&code)) {
            return Cut::Answered(length, b"N");
        }
        self.has_started = true;
        Cut::Step(length)
    }
}

/// The server's side: everything until it waits for the runner, which is when it is ready for a query or asks for an answer
/// about who this is.
pub(super) fn answer(bytes: &[u8]) -> Cut {
    let mut end = 0;
    while let Some(length) = message(&bytes[end..]) {
        let message = &bytes[end..end + length];
        end += length;
        if is_turn(message) {
            return Cut::Step(end);
        }
    }
    Cut::Later
}

fn is_turn(message: &[u8]) -> bool {
    // Authentication is done, and the last word of SASL, which is followed by that: the server goes on by itself.
    const GOES_ON: [u32; 2] = [0, 12];
    match message[0] {
        b'Z' => true,
        b'R' => number(message, 5).is_some_and(|kind| !GOES_ON.contains(&kind)),
        _ => false,
    }
}

/// The length of the first message with a type, if all of it is here.
fn message(bytes: &[u8]) -> Option<usize> {
    counted(bytes, 1)
}

/// The length of a message whose own length stands at `at`, if all of it is here.
fn counted(bytes: &[u8], at: usize) -> Option<usize> {
    let length = at + usize::try_from(number(bytes, at)?).ok()?;
    (bytes.len() >= length).then_some(length)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    #[test]
    fn a_request_for_tls_is_answered_and_does_not_count() {
        let mut runner = Runner::default();
        let request = [8_u32.to_be_bytes(), 80_877_103_u32.to_be_bytes()].concat();
        assert_eq!(runner.next(&request[..7]), Cut::Later);
        assert_eq!(runner.next(&request), Cut::Answered(8, b"N"));
        let start = [9_u32.to_be_bytes(), 196_608_u32.to_be_bytes()].concat();
        assert_eq!(runner.next(&start), Cut::Later);
        assert_eq!(runner.next(&[&start[..], b"\0"].concat()), Cut::Step(9));
        assert_eq!(runner.next(&typed(b'Q', b"SELECT 1\0")), Cut::Step(14));
    }

    #[test]
    fn an_answer_ends_where_it_is_the_runners_turn() {
        let rows = [typed(b'T', b"xx"), typed(b'D', b"yyyy"), typed(b'C', b"SELECT 1\0")].concat();
        assert_eq!(answer(&rows), Cut::Later);
        let whole = [rows, typed(b'Z', b"I")].concat();
        assert_eq!(answer(&[&whole[..], b"Z"].concat()), Cut::Step(whole.len()));
    }

    #[test]
    fn a_server_that_asks_who_this_is_waits() {
        let ask = typed(b'R', &10_u32.to_be_bytes());
        assert_eq!(answer(&ask), Cut::Step(ask.len()));
        let done = [typed(b'R', &12_u32.to_be_bytes()), typed(b'R', &0_u32.to_be_bytes())].concat();
        assert_eq!(answer(&done), Cut::Later);
    }
}
