//! The core is pure: what it depends on, and what it may not do.

use std::process::Command;

/// The crates that core depends on when it is used; each was looked at, and none does I/O of its
/// own accord. A new one is added here on purpose or not at all.
const KNOWN: [&str; 26] = [
    "onepath-core",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "itoa",
    "memchr",
    "zmij",
    "sha2",
    "digest",
    "block-buffer",
    "crypto-common",
    "hybrid-array",
    "typenum",
    "cfg-if",
    "cpufeatures",
    "const-oid",
    "libc",
    "thiserror",
    "thiserror-impl",
    "proc-macro2",
    "quote",
    "syn",
    "unicode-ident",
    "ryu",
    "schemars",
];

#[test]
fn the_tree_of_core_holds_no_runtime_network_or_binding() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--package",
            "onepath-core",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(onepath_tests::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(names.contains(&"sha2"), "{tree}");
    for name in names {
        assert!(KNOWN.contains(&name), "core depends on `{name}`: is it pure? then list it here");
    }
}

#[test]
fn the_sources_of_core_name_no_clock_file_or_environment() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "std::time",
        "std::thread",
        "std::process",
        "rand::",
        "unsafe ",
        "f32",
    ];
    let mut folders = vec![onepath_tests::root().join("core/src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            // A writer has to name what it refuses: serde's trait has it.
            let text = std::fs::read_to_string(&path)
                .unwrap()
                .replace("fn serialize_f32(self, _: f32)", "");
            for word in forbidden {
                assert!(!text.contains(word), "{} names `{word}`", path.display());
            }
        }
    }
    assert!(files > 30, "{files}");
}
