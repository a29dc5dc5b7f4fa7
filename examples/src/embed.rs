//! A backend that embeds the path: from the text of a node to the key under which its result lies.

use onepath_core::{BuildOptions, GenerationNodeConfig, decode, prepare};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let node = r#"{"generationType": "text_to_image", "purpose": "ambient", "strategy": "per_player",
        "seedSource": "player", "prompt": "a lighthouse in fog", "fallback": {"mode": "skip"}}"#;
    let config = decode::<GenerationNodeConfig<'_>>(node).into_result()?;
    let options = decode::<BuildOptions<'_>>(r#"{"providerId": "local", "user": {"id": 7}}"#)
        .into_result()?;
    let prepared = prepare(&config, &options);
    match &prepared.made {
        Some((_, print)) => println!("{}", print.cache_key.as_deref().unwrap_or("no key")),
        None => prepared.report.findings().iter().for_each(|finding| println!("{finding}")),
    }
    Ok(())
}
