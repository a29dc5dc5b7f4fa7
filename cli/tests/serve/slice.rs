//! The example that goes the whole way, run as its README says.

use std::net::TcpListener;
use std::process::Command;

use super::Folder;

#[test]
fn the_example_goes_the_whole_way() {
    let folder = Folder::new();
    // The public URL is said at the start: the port must be known before. It is free now.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/vertical-slice/run.sh");
    let output = Command::new("bash")
        .arg(script)
        .arg(folder.0.join("out"))
        .env("ONEPATH", env!("CARGO_BIN_EXE_onepath"))
        .env("PORT", port.to_string())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{errors}");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].ends_with("status pending, predictionId null"), "{told}");
    assert_eq!(lines[1], "sent again: the same answer");
    assert!(lines[2].starts_with("completed, predictionId "), "{told}");
    assert!(lines[3].starts_with("variant 0: ") && lines[4].starts_with("variant 1: "), "{told}");
    assert!(lines[5].starts_with("charged 1 time;"), "{told}");
    let log = std::fs::read_to_string(folder.0.join("out/serve.log")).unwrap();
    assert!(!log.contains("r8_none"), "{log}");
}
