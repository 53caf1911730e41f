//! Pods: what they say, and what is said about them.

use futures_util::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use kube::ResourceExt as _;
use kube::api::{DeleteParams, LogParams};
use plimsoll_testkit::transcript::shows_password;
use plimsoll_testkit::wait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::namespace::Namespace;
use crate::watch::within;

impl Namespace {
    /// Waits for a pod with this label of which something is true. Pods that are about to go do not count.
    pub async fn pod(&self, label: &str, what: &str, is_so: impl Fn(&Pod) -> bool) -> Pod {
        self.until(label, &format!("a pod with `{label}`: {what}"), |pods: &[Pod]| {
            pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_none() && is_so(pod)).cloned()
        })
        .await
    }

    /// The pods with this label, as they are now.
    pub async fn pods(&self, label: &str) -> Vec<Pod> {
        self.until(label, "pods can be listed", |pods: &[Pod]| Some(pods.to_vec())).await
    }

    /// Everything that a container has said since it was last started.
    pub async fn log(&self, pod: &Pod, container: &str) -> String {
        self.read_log(pod, LogParams { container: Some(container.into()), ..LogParams::default() }).await
    }

    /// Waits until what a container said before it was last started holds `text`. Asked while that log is put away, a node
    /// answers that the file is not there any more.
    pub async fn previous_log_says(&self, pod: &Pod, container: &str, text: &str) {
        let which = LogParams { container: Some(container.into()), previous: true, ..LogParams::default() };
        let says = async || self.read_log(pod, which.clone()).await.contains(text);
        wait::until_async(&format!("`{container}` has said `{text}`"), says).await;
    }

    async fn read_log(&self, pod: &Pod, which: LogParams) -> String {
        let log =
            self.api::<Pod>().logs(&pod.name_any(), &which).await.expect("the container has been started");
        assert!(!shows_password(&log), "a password was shown in `{}`", pod.name_any());
        log
    }

    /// Follows what a container says until a line of it holds `text`, and returns that line.
    pub async fn log_says(&self, pod: &Pod, container: &str, text: &str) -> String {
        within(&format!("`{container}` says `{text}`"), self.follow(pod, container, text)).await
    }

    async fn follow(&self, pod: &Pod, container: &str, text: &str) -> String {
        let which = LogParams { container: Some(container.into()), follow: true, ..LogParams::default() };
        let log = self.api::<Pod>().log_stream(&pod.name_any(), &which).await;
        let mut lines = log.expect("the container has been started").lines();
        let mut said = String::new();
        while let Some(line) = lines.try_next().await.expect("the node passes logs on") {
            assert!(!shows_password(&line), "a password was shown in `{}`", pod.name_any());
            if line.contains(text) {
                return line;
            }
            said += &line;
            said.push('\n');
        }
        panic!("`{container}` has ended without saying `{text}`:\n{said}")
    }

    /// What a person reads who asks what is wrong with a pod.
    pub fn describe(&self, pod: &Pod) -> String {
        self.kubectl(&["describe", "pod", &pod.name_any()], "").expect("the pod is there")
    }

    /// What the application in a pod answers to a request; panics with its answer if it is not well.
    pub async fn ask(&self, pod: &Pod) -> String {
        let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref());
        let address = format!("{}:3000", address.expect("a pod that runs has an address"));
        let answer = within(&format!("{address} answers"), ask(&address)).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("the answer has a head");
        assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
        body.to_owned()
    }

    /// Deletes a pod as an eviction does: with its grace period, and without waiting.
    pub async fn delete_pod(&self, pod: &Pod) {
        self.api::<Pod>().delete(&pod.name_any(), &DeleteParams::default()).await.expect("the pod is there");
    }
}

/// One request. The end of the connection is the end of the answer, so that the application is asked to close it.
async fn ask(address: &str) -> String {
    const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(address).await.expect("the application listens");
    stream.write_all(REQUEST).await.expect("the application reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the application answers in text");
    answer
}

/// What is known about an init container.
pub fn init<'pod>(pod: &'pod Pod, container: &str) -> Option<&'pod ContainerStatus> {
    let all = pod.status.as_ref()?.init_container_statuses.as_ref()?;
    all.iter().find(|status| status.name == container)
}

/// How an init container ended, this time or the last time.
pub fn terminated<'pod>(pod: &'pod Pod, container: &str) -> Option<&'pod ContainerStateTerminated> {
    let known = init(pod, container)?;
    let states = [known.state.as_ref(), known.last_state.as_ref()];
    states.into_iter().flatten().find_map(|state| state.terminated.as_ref())
}

/// Whether an init container is running at the moment.
pub fn is_running(pod: &Pod, container: &str) -> bool {
    init(pod, container).and_then(|status| status.state.as_ref()).is_some_and(|state| state.running.is_some())
}

/// How often containers of the pod have been started again.
pub fn restarts(pod: &Pod) -> i32 {
    let Some(status) = &pod.status else { return 0 };
    let all = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    all.map(|container| container.restart_count).sum()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// It keeps a connection, as HTTP 1.1 says, unless it is asked to close it.
    #[tokio::test]
    async fn an_application_that_keeps_its_connections_is_asked_to_close_this_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let application = async {
            let (mut stream, _) = listener.accept().await.expect("somebody asks");
            let mut request = vec![0; 1024];
            let length = stream.read(&mut request).await.expect("it is a request");
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nwell").await.expect("it is read");
            let told_to_close = request[..length].windows(17).any(|part| part == b"Connection: close");
            (!told_to_close).then_some(stream)
        };
        let both = async { tokio::join!(ask(&address), application).0 };
        assert!(within("it answers", both).await.ends_with("well"));
    }
}
