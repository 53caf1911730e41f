//! What happens, without the password of the connection in what others said: a server was told it, and whoever else knows it may
//! have it in a statement or a name.

use plimsoll_core::Secret;
use plimsoll_core::secret::hide;
use plimsoll_core::standing::Standing;
use plimsoll_engine::{Blocker, Event, Holder};

/// Has the event seen without the password.
pub(super) fn without(password: Option<&Secret>, event: Event<'_>, see: impl FnOnce(Event<'_>)) {
    let Some(password) = password else { return see(event) };
    match event {
        Event::Blocked { name, blockers } => {
            let blockers: Vec<Blocker> = blockers.iter().map(|it| it.clone().hiding(password)).collect();
            see(Event::Blocked { name, blockers: &blockers });
        }
        Event::WaitingForLock { holder: Some(holder) } => {
            let application = hide(&holder.application, password);
            see(Event::WaitingForLock { holder: Some(&Holder { application, ..holder.clone() }) });
        }
        Event::Note(note) => see(Event::Note(hide(&note, password).into())),
        event => match event.why().map(|why| why.clone().hiding(password)) {
            Some(why) => see(event.because(&why)),
            None => see(event),
        },
    }
}

/// The same of what the history holds of failed attempts.
pub(super) fn in_logs(password: Option<&Secret>, mut standing: Standing) -> Standing {
    let Some(password) = password else { return standing };
    for attempt in &mut standing.failed {
        attempt.logs = attempt.logs.take().map(|logs| hide(&logs, password));
    }
    standing
}

#[cfg(test)]
mod tests {
    use plimsoll_core::{Code, Diagnostic};

    use super::*;

    #[test]
    fn no_event_shows_the_password_of_the_connection() {
        let blockers = [Blocker {
            application: Some("job of hunter2".into()),
            query: Some("SELECT 'hunter2'".into()),
            ..Blocker::default()
        }];
        let holder = Holder {
            application: "hunter2".into(),
            connection: None,
            address: None,
            since: None,
            connected_for: None,
        };
        let why = Diagnostic::new(Code::Database, "it failed").help("it could not be recorded: hunter2");
        let events = [
            Event::Blocked { name: "1_init", blockers: &blockers },
            Event::WaitingForLock { holder: Some(&holder) },
            Event::Note("had taken effect: hunter2".into()),
            Event::Retrying { name: "1_init", again: plimsoll_engine::Resent::Whole, why: &why },
            Event::Reconnecting { why: &why },
        ];
        for event in events {
            assert!(format!("{event:?}").contains("hunter2"), "it is there to be hidden: {event:?}");
            let mut seen = String::new();
            without(Some(&Secret::new("hunter2")), event, |event| seen = format!("{event:?}"));
            assert!(seen.contains("*******") && !seen.contains("hunter2"), "{seen}");
        }
    }
}
