//! A directory with manifests, and the program in it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The manifest that everything began with, word for word.
pub(crate) const SEED: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: my-backend-deployment
spec:
  replicas: 1
  selector: { matchLabels: { app: my-backend } }
  template:
    metadata: { labels: { app: my-backend } }
    spec:
      initContainers:
        - name: prisma-migrate
          image: my-backend-image:latest
          command: ["/bin/sh", "-c"]
          args: ["npx prisma migrate deploy --schema=./prisma/schema.prisma"]
          env: [{ name: DATABASE_URL, valueFrom: { secretKeyRef: { name: database-secret, key: database_url } } }]
      containers:
        - name: my-backend-app
          image: my-backend-image:latest
          ports: [{ containerPort: 3000 }]
"#;

/// A manifest without any workload, written as no machine would.
pub(crate) const OTHER: &str = "# mine\n{kind: Secret,   apiVersion: 'v1'}   # keep\n";

/// The seed without its init container.
pub(crate) fn bare() -> String {
    let lines: Vec<&str> = SEED.lines().collect();
    let first = lines.iter().position(|line| line.contains("initContainers")).unwrap();
    let (before, after) = (&lines[..first], &lines[first + 6..]);
    [before, after].concat().join("\n") + "\n"
}

/// A directory that is gone after the test.
pub(crate) struct Scene(TempDir);

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = scene.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// What is in the directory, in the order of the names.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.0.path().read_dir().unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn inject(&self, arguments: &[&str]) -> Ended {
        self.inject_from("", arguments)
    }

    /// Runs `plimsoll inject` with this text on its standard input.
    pub(crate) fn inject_from(&self, input: &str, arguments: &[&str]) -> Ended {
        self.run(input, &[], arguments)
    }

    /// Runs `plimsoll inject` with these variables in its environment.
    pub(crate) fn inject_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        self.run("", variables, arguments)
    }

    fn run(&self, input: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .arg("inject")
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that reads nothing closes the pipe, which is no failure of the test.
        let _closed = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
