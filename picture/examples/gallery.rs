//! Draws what documents ask for into a folder: `gallery FOLDER DOCUMENT…`.
//!
//! A document is a scene file, a node or a config. `examples/scenes/prompts.json` gives the
//! templates. With this one looks at a change of the drawing.
#![allow(
    clippy::disallowed_methods,
    reason = "a tool: it reads documents, writes pictures and measures"
)]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use onepath_core::{BuildOptions, decode, prepare, read_document};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("usage: gallery FOLDER DOCUMENT…")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let templates = std::fs::read_to_string("examples/scenes/prompts.json")?;
    let options = format!(r#"{{"providerId": "local", "now": 0, "templates": {templates}}}"#);
    let options = decode::<BuildOptions<'_>>(&options).into_result()?;
    for path in args {
        let text = std::fs::read_to_string(&path)?;
        for item in read_document(&text, &options).items {
            let Some((request, print)) = prepare(&item.config, &item.options).made else {
                println!("{}: refused", item.name);
                continue;
            };
            let hash = print.hashes.ok_or("pending")?.request.to_string();
            let start = Instant::now();
            let picture = onepath_picture::draw(&request, &hash)?;
            let took = start.elapsed();
            let ending = if picture.media_type == "image/png" { "png" } else { "gif" };
            let file = folder.join(format!("{}.{ending}", item.name.replace(['/', '>'], "-")));
            std::fs::write(&file, &picture.bytes)?;
            println!(
                "{}: {}×{}, {} pictures, {} ms, {} bytes, drawn in {} µs",
                file.display(),
                picture.width,
                picture.height,
                picture.frames,
                picture.duration_ms,
                picture.bytes.len(),
                took.as_micros()
            );
        }
    }
    Ok(())
}
