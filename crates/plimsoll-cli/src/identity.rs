//! The name of this process for whoever waits for it: pod, namespace, process and release.

use std::fmt;

/// PostgreSQL cuts an `application_name` that is longer than this many bytes, and shows nothing but ASCII in it.
const MOST: usize = 63;

/// What stands for a part that was cut out.
const CUT: char = '~';

/// Who a runner is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pod: String,
    namespace: Option<String>,
    pid: u32,
    release: Option<String>,
}

impl Identity {
    /// This process, by the downward API (`PLIMSOLL_POD`, `PLIMSOLL_NAMESPACE`), else by the host name, which in a pod is
    /// the pod's; and the image that it was started for (`PLIMSOLL_RELEASE`).
    pub(crate) fn of_this_process() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let pod = set("PLIMSOLL_POD").or_else(|| set("HOSTNAME")).or_else(host);
        Self {
            pod: plain(&pod.unwrap_or_else(|| "unknown host".to_owned())),
            namespace: set("PLIMSOLL_NAMESPACE").map(|name| plain(&name)),
            pid: std::process::id(),
            release: set("PLIMSOLL_RELEASE").map(|release| plain(short(release.trim()))),
        }
    }
}

impl fmt::Display for Identity {
    /// `plimsoll NAMESPACE/POD/PID RELEASE`, in 63 bytes: the release gives way first, then the namespace, then the middle of
    /// the pod's name, whose end tells pods apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pod, pid) = (&self.pod, self.pid);
        let namespace = self.namespace.as_ref().map_or_else(String::new, |name| format!("{name}/"));
        let release = self.release.as_ref().map_or_else(String::new, |release| format!(" {release}"));
        let forms = [
            format!("plimsoll {namespace}{pod}/{pid}{release}"),
            format!("plimsoll {namespace}{pod}/{pid}"),
            format!("plimsoll {pod}/{pid}"),
        ];
        if let Some(form) = forms.iter().find(|form| form.len() <= MOST) {
            return f.write_str(form);
        }
        let around = format!("plimsoll /{pid}").len();
        write!(f, "plimsoll {}/{pid}", without_middle(pod, MOST.saturating_sub(around)))
    }
}

/// What tells releases of one image apart: its tag, or else the beginning of its digest.
fn short(image: &str) -> &str {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    match (last.split_once(':'), digest) {
        (Some((_, tag)), _) => tag,
        (None, Some(digest)) => {
            let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
            hex.get(..12).unwrap_or(hex)
        }
        (None, None) => last,
    }
}

/// The text in the characters that every database shows as they are.
fn plain(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

/// An ASCII text in so many bytes: a third of them for its beginning, the rest for its end.
fn without_middle(text: &str, most: usize) -> String {
    let kept = most.saturating_sub(1);
    let (head, tail) = (kept / 3, kept - kept / 3);
    let from = text.len().saturating_sub(tail);
    format!("{}{CUT}{}", text.get(..head).unwrap_or_default(), text.get(from..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pod: &str, namespace: &str, release: &str) -> String {
        let identity = Identity {
            pod: pod.to_owned(),
            namespace: Some(namespace.to_owned()).filter(|name| !name.is_empty()),
            pid: 17,
            release: Some(release.to_owned()).filter(|release| !release.is_empty()),
        };
        let text = identity.to_string();
        assert!(text.len() <= MOST, "{text}");
        text
    }

    #[test]
    fn what_tells_pods_apart_is_kept_longest() {
        let pod = "my-backend-deployment-6d4cf56db6-x7k2p";
        assert_eq!(shown("laptop", "", ""), "plimsoll laptop/17");
        assert_eq!(shown(pod, "shop", "1.4.2"), format!("plimsoll shop/{pod}/17 1.4.2"));
        assert_eq!(shown(pod, "shop", "2026-11-22-nightly"), format!("plimsoll shop/{pod}/17"));
        assert_eq!(shown(pod, "a-namespace-of-its-own", "1"), format!("plimsoll {pod}/17"));
        let long = format!("{}{pod}", "very-".repeat(20));
        let text = shown(&long, "shop", "1.4.2");
        assert!(text.starts_with("plimsoll very-") && text.ends_with("6d4cf56db6-x7k2p/17"), "{text}");
        assert_eq!(text.len(), MOST);
    }

    #[test]
    fn a_release_is_the_tag_or_the_digest_of_its_image() {
        assert_eq!(short("registry.example:5000/shop/app:1.4.2"), "1.4.2");
        assert_eq!(short("shop/app:1.4.2@sha256:0123456789abcdef0123"), "1.4.2");
        assert_eq!(short("shop/app@sha256:0123456789abcdef0123"), "0123456789ab");
        assert_eq!(short("registry.example:5000/shop/app"), "app");
        assert_eq!(short("1.4.2"), "1.4.2");
    }

    #[test]
    fn a_name_that_no_database_would_show_is_made_plain() {
        assert_eq!(plain(" gr\u{fc}n\t\u{1f600}\n"), "gr?n??");
    }
}
