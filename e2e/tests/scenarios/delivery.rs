//! The ways by which the binary comes into a pod, other than in the application's image.

use plimsoll_e2e::{Base, Release, inject, restarts};

use crate::scene::{APP, application, applied, with_scene};

#[tokio::test]
async fn the_binary_comes_from_an_image_volume_into_an_image_without_it() {
    gate_by("volume").await;
}

#[tokio::test]
async fn the_binary_is_copied_into_a_volume_by_an_init_container_of_its_own() {
    gate_by("copy").await;
}

async fn gate_by(delivery: &str) {
    with_scene(async |ns, database| {
        let image = ns.push(&Release::number(1).base(Base::WithoutPlimsoll));
        let flags = ["--delivery", delivery, "--plimsoll-image=plimsoll.test/plimsoll:1"];
        ns.apply(&inject(&application(&image), &flags));
        ns.rollout_done("my-backend-deployment").await;
        let pod = ns.pod(APP, "it is there", |_| true).await;
        assert_eq!(restarts(&pod), 0);
        assert_eq!(applied(database).await, [Release::migration(1)]);
    })
    .await;
}
