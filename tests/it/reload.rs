//! Files that change while traffic flows.

use std::fs;
use std::os::unix::fs::symlink;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::client::send;
use crate::support::router::routes;
use crate::support::{Backend, Router, soon, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_is_live_at_once() {
    let back = Backend::start("back").await;
    let router = Router::start(&routes(&["a.test"], &[back.url()])).await;
    router.answers(200, "a.test", "/").await;
    router.write(&routes(&["b.test"], &[back.url()]));
    let renamed = router.answers(200, "b.test", "/").await;
    assert_eq!(router.get("a.test", "/").await.status, 404, "what is written no more is gone");
    router.overwrite(&routes(&["c.test"], &[back.url()]));
    let written = router.answers(200, "c.test", "/").await;
    println!("live after a rename: {renamed:?}, after a write in place: {written:?}");
    fs::remove_file(router.file()).expect("it is there");
    router.answers(404, "c.test", "/").await;
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_file_changes_nothing_and_is_told() {
    let back = Backend::start("back").await;
    let good = routes(&["a.test"], &[back.url()]);
    let router = Router::start(&good).await;
    router.answers(200, "a.test", "/").await;

    router.write(&good.replace("a.test", "b.test").replace("loadBalancer", "loadBalancr"));
    let problem = router.reports(&["loadBalancr", "did you mean"]).await;
    assert!(problem["message"].as_str().is_some_and(|text| text.contains("loadBalancer")), "{problem}");
    assert!(problem["place"].as_str().is_some_and(|place| place.contains("dynamic.yml:4:")), "{problem}");
    assert_eq!(router.get("a.test", "/").await.status, 200, "the last good configuration stays in force");
    assert_eq!(router.get("b.test", "/").await.status, 404);

    router.write("http: {routers: [");
    router.reports(&["dynamic.yml:1"]).await;
    assert_eq!(router.get("a.test", "/").await.status, 200);

    // The way back to what is in force already ends the refusal, too.
    router.write(&good);
    let is_well = || async { router.api("/problems").await.json() == serde_json::json!([]) };
    until("nothing is wrong any more", is_well).await;
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_with_unusable_settings_is_left_out_and_told() {
    let back = Backend::start("back").await;
    let settings = "entryPoints: {web: {address: '127.0.0.1:0'}}\nproviders: {docker: {constraints: 'Labl(`a`)'}}";
    let router = Router::start_with(settings, &routes(&["a.test"], &[back.url()])).await;
    router.answers(200, "a.test", "/").await;
    router.reports(&["providers.docker.constraints", "Labl"]).await;
    router.app.stop().await;
}

/// Kubernetes mounts a ConfigMap as links through a link to a folder, and changes only that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_points_elsewhere_is_followed() {
    let back = Backend::start("back").await;
    let router = Router::start(&routes(&["file.test"], &[back.url()])).await;
    router.answers(200, "file.test", "/").await;
    let at = |name: &str| router.folder().join(name);
    let point = |target: &str, host: &str| {
        fs::create_dir(at(target)).expect("the folder is new");
        let text = format!("http: {{routers: {{app: {{rule: Host(`{host}`), service: s}}}}}}");
        fs::write(at(target).join("app.yml"), text).expect("the folder can be written");
        symlink(target, at("..new")).expect("the link is new");
        fs::rename(at("..new"), at("..data")).expect("a link can be replaced");
    };
    point("..one", "one.test");
    symlink("..data/app.yml", at("app.yml")).expect("the link is new");
    router.answers(200, "one.test", "/").await;
    point("..two", "two.test");
    fs::remove_dir_all(at("..one")).expect("it is there");
    router.answers(200, "two.test", "/").await;
    assert_eq!((router.get("one.test", "/").await.status, router.get("file.test", "/").await.status), (404, 200));
    router.app.stop().await;
}

const RELOADS: usize = 100;
const PIECE: usize = 1_000_000;

/// The download is read one piece per reload, so it is open, and partly under way, during each of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_disturb_neither_a_websocket_nor_a_download() {
    let back = Backend::start("back").await;
    // Each turn changes the routers that both use, and every tenth takes them away.
    let text = |turn: usize| {
        let rule = format!("rule: 'Host(`s.test`) && !Query(`turn`, `{turn}`)'");
        let text = routes(&[&format!("turn-{turn}.test"), "s.test"], &[back.url()]);
        text.replace("rule: Host(`s.test`)", if turn % 10 == 9 { "rule: Host(`away.test`)" } else { &rule })
    };
    let router = Router::start(&text(0)).await;
    router.answers(200, "s.test", "/").await;

    let stream = TcpStream::connect(router.web()).await.expect("the router listens");
    let opened = tokio_tungstenite::client_async("ws://s.test/socket", stream);
    let (mut socket, _) = soon("the WebSocket opens", opened).await.expect("the WebSocket opens");
    let mut download = send(router.web(), "s.test", &format!("/bytes/{}", RELOADS * PIECE), "").await;
    let mut piece = vec![0; PIECE];
    let head = soon("the head of the download", download.read(&mut piece[..4096])).await.expect("it can be read");
    let end = piece[..head].windows(4).position(|four| four == b"\r\n\r\n").expect("the head comes in one piece");
    assert!(piece.starts_with(b"HTTP/1.1 200 "));
    let mut received = head - end - 4;

    for turn in 1..=RELOADS {
        router.write(&text(turn));
        router.answers(200, &format!("turn-{turn}.test"), "/").await;
        let said = Message::text(format!("turn {turn}"));
        socket.send(said.clone()).await.expect("the WebSocket takes a message");
        let heard = soon("the WebSocket answers", socket.next()).await.expect("it is open").expect("it works");
        assert_eq!(heard, said);
        let wanted = PIECE.min(RELOADS * PIECE - received);
        soon("the download goes on", download.read_exact(&mut piece[..wanted])).await.expect("it is not cut");
        assert!(piece[..wanted].iter().all(|byte| *byte == b'x'));
        received += wanted;
    }
    assert_eq!(received, RELOADS * PIECE);
    socket.close(None).await.expect("it can be closed");
    router.app.stop().await;
}
