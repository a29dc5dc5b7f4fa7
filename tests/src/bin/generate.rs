//! Writes every generated file of the project.

use std::process::ExitCode;

fn main() -> ExitCode {
    for (path, text) in onepath_tests::generated::files() {
        let path = onepath_tests::root().join(path);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, text));
        if let Err(error) = written {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
