//! `onepath admin account`: what is told of accounts, and that a key is never shown.

use std::io::Write as _;
use std::process::{Output, Stdio};

use super::Folder;

/// What a command prints, and its exit code; `input` is its standard input.
fn admin(folder: &Folder, args: &[&str], input: &str) -> (Option<i32>, String, String) {
    let args = [&["admin", "account"], args, &["--data", "data"]].concat();
    let mut command = folder.command(&args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn accounts_are_told_of_changed_listed_and_removed() {
    let folder = Folder::new();
    let add = ["add", "main", "--provider", "local", "--key-stdin", "--concurrency", "2"];
    let (code, told, _) = admin(&folder, &add, "mk_canary\n");
    assert_eq!(code, Some(0));
    assert_eq!(
        told,
        "main  local  shared  key sealed  priority 5  slots 0 of 2  today 0 of any  closed\n"
    );
    let set = ["set", "main", "--concurrency", "none", "--tenant", "studio", "--enabled", "false"];
    let (code, told, _) = admin(&folder, &set, "");
    assert_eq!(code, Some(0));
    assert!(told.contains("tenant studio") && told.contains("slots 0 of any"), "{told}");
    assert!(told.ends_with("off\n"), "{told}");
    let spare = ["add", "spare", "--provider", "local", "--key-env", "SPARE_KEY"];
    assert_eq!(admin(&folder, &spare, "").0, Some(0));
    let (_, all, _) = admin(&folder, &["list"], "");
    assert_eq!(all.lines().count(), 2);
    assert!(all.contains("spare  local  shared  key env:SPARE_KEY") && !all.contains("canary"));
    let (_, theirs, _) = admin(&folder, &["list", "--tenant", "other"], "");
    assert_eq!(theirs.lines().count(), 1, "{theirs}");
    assert_eq!(admin(&folder, &["heal", "spare"], "").0, Some(0));
    assert_eq!(admin(&folder, &["remove", "spare"], "").0, Some(0));

    for (args, told) in [
        (&["remove", "spare"][..], "there is no account of this id"),
        (&["add", "main", "--provider", "local"], "change it instead"),
        (&["add", "other", "--provider", "lokal"], "it has: local"),
        (&["set", "main", "--endpoint", "https://thief.example"], "give it again"),
        (&["set", "main", "--concurrency", "two"], "`two` is no whole number"),
        (&["set", "main", "--key-stdin"], "there is no key on standard input"),
    ] {
        let (code, out, error) = admin(&folder, args, "");
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(error.contains(told), "{args:?}: {error}");
    }
}
