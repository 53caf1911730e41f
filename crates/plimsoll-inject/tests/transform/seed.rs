//! The manifest that everything began with, with and without its init container.

use serde_json::{Value, json};

use crate::support::told;

fn seed() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "my-backend-deployment"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "my-backend"}},
            "template": {
                "metadata": {"labels": {"app": "my-backend"}},
                "spec": {
                    "initContainers": [{
                        "name": "prisma-migrate",
                        "image": "my-backend-image:latest",
                        "command": ["/bin/sh", "-c"],
                        "args": ["npx prisma migrate deploy --schema=./prisma/schema.prisma"],
                        "env": [{
                            "name": "DATABASE_URL",
                            "valueFrom": {"secretKeyRef": {"name": "database-secret", "key": "database_url"}},
                        }],
                    }],
                    "containers": [{
                        "name": "my-backend-app",
                        "image": "my-backend-image:latest",
                        "ports": [{"containerPort": 3000}],
                    }],
                },
            },
        },
    })
}

#[test]
fn the_prisma_init_container_becomes_the_gate() {
    insta::assert_snapshot!(told(&[seed()], &[]));
}

#[test]
fn without_an_init_container_the_secret_is_all_that_is_missing() {
    let mut seed = seed();
    seed["spec"]["template"]["spec"].as_object_mut().unwrap().shift_remove("initContainers");
    insta::assert_snapshot!(told(&[seed], &[("secret", "database-secret/database_url")]));
}

#[test]
fn the_binary_can_come_as_an_image_volume() {
    insta::assert_snapshot!(told(&[seed()], &[("plimsoll-image", "example.org/plimsoll:1")]));
}

#[test]
fn the_binary_can_be_copied() {
    insta::assert_snapshot!(told(
        &[seed()],
        &[("plimsoll-image", "example.org/plimsoll:1"), ("delivery", "copy")]
    ));
}
