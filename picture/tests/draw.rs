//! What is drawn, looked at through the files: decoded as a browser decodes them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::needless_pass_by_value,
    clippy::disallowed_methods,
    reason = "test code: a failing test is supposed to stop"
)]

use onepath_core::lifecycle::ErrorCode;
use onepath_core::{
    BuildOptions, GenerateContentRequest, GenerationNodeConfig, ParameterType, decode, prepare,
    providers, read_document,
};
use onepath_picture::{DrawError, Fail, MOST_PIXELS, PROVIDER, Picture, Settings, draw};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const HASH: &str = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

/// A request as it comes over the wire.
fn request(kind: &str, settings: Value, members: Value) -> String {
    let mut request = json!({
        "type": kind,
        "purpose": "ambient",
        "strategy": "once",
        "provider_id": "local",
        "provider_settings": settings,
        "prompt": "a lighthouse in fog",
        "to_scene": {"id": "quay", "mood": "hopeful", "location": "North quay"},
        "style": {"pacing": "slow"},
        "seed": "7",
    });
    for (name, value) in members.as_object().unwrap() {
        request[name] = value.clone();
    }
    request.to_string()
}

fn drawn(text: &str) -> Result<Picture, DrawError> {
    let request = decode::<GenerateContentRequest<'_>>(text).into_result().unwrap();
    draw(&request, HASH)
}

fn settings(text: &str) -> Result<Settings, DrawError> {
    Settings::of(&decode::<GenerateContentRequest<'_>>(text).into_result().unwrap())
}

/// Pictures as red, green and blue.
struct Seen {
    width: usize,
    pictures: Vec<Vec<[u8; 3]>>,
    /// Hundredths of a second.
    delays: Vec<u16>,
    repeats: bool,
}

fn look(picture: &Picture) -> Seen {
    match picture.media_type {
        "image/png" => look_at_png(&picture.bytes),
        "image/gif" => look_at_gif(&picture.bytes),
        other => panic!("{other}"),
    }
}

fn look_at_png(bytes: &[u8]) -> Seen {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    let picture = pixels.chunks(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Seen { width: info.width as usize, pictures: vec![picture], delays: Vec::new(), repeats: false }
}

fn look_at_gif(bytes: &[u8]) -> Seen {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).unwrap();
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let mut canvas = vec![[0; 3]; width * height];
    let mut seen = Seen { width, pictures: Vec::new(), delays: Vec::new(), repeats: false };
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        for (index, pixel) in frame.buffer.chunks(4).enumerate() {
            let (x, y) = (index % usize::from(frame.width), index / usize::from(frame.width));
            if pixel[3] == 255 {
                canvas[(top + y) * width + left + x] = [pixel[0], pixel[1], pixel[2]];
            }
        }
        seen.pictures.push(canvas.clone());
        seen.delays.push(frame.delay);
    }
    seen.repeats = decoder.repeat() == gif::Repeat::Infinite;
    seen
}

/// SHA-256 of what is seen.
fn digest(seen: &Seen) -> String {
    let mut hasher = Sha256::new();
    for picture in &seen.pictures {
        hasher.update(picture.concat());
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the rows of a glyph of GNU Unifont, in one color, stand somewhere on one of another.
fn shows(seen: &Seen, hex: &str) -> bool {
    let columns = hex.len() / 4;
    let rows: Vec<Vec<bool>> = (0..16)
        .map(|row| {
            let digits = &hex[row * columns / 4..(row + 1) * columns / 4];
            let bits = u16::from_str_radix(digits, 16).unwrap();
            (0..columns).map(|column| bits >> (columns - 1 - column) & 1 == 1).collect()
        })
        .collect();
    let picture = &seen.pictures[0];
    let height = picture.len() / seen.width;
    (0..height.saturating_sub(15)).any(|y| {
        (0..seen.width.saturating_sub(columns - 1)).any(|x| {
            let pixel = |dx: usize, dy: usize| picture[(y + dy) * seen.width + x + dx];
            let mut colors = [None; 2];
            rows.iter().enumerate().all(|(dy, row)| {
                row.iter().enumerate().all(|(dx, &ink)| {
                    *colors[usize::from(ink)].get_or_insert(pixel(dx, dy)) == pixel(dx, dy)
                })
            }) && colors[0] != colors[1]
        })
    })
}

const ZHE: &str = "0000000049492A2A1C1C2A2A49490000";

#[test]
fn a_picture_is_a_png_of_the_size_that_was_asked() {
    let picture = drawn(&request("text_to_image", json!({"width": 300, "height": 200}), json!({})));
    let picture = picture.unwrap();
    assert_eq!((picture.media_type, picture.width, picture.height), ("image/png", 300, 200));
    assert_eq!((picture.frames, picture.duration_ms), (1, 0));
    let seen = look(&picture);
    assert_eq!((seen.width, seen.pictures[0].len()), (300, 300 * 200));
}

#[test]
fn an_animation_is_a_gif_with_the_frames_and_delays_that_were_asked() {
    let asked = json!({"width": 200, "height": 150, "frames": 5, "delayMs": 90});
    let picture = drawn(&request("text_to_video", asked, json!({}))).unwrap();
    assert_eq!((picture.media_type, picture.frames, picture.duration_ms), ("image/gif", 5, 450));
    let seen = look(&picture);
    assert_eq!(seen.delays, [9; 5]);
    assert!(seen.repeats);
    assert_eq!(seen.pictures[0].len(), 200 * 150);
    for (one, other) in seen.pictures.iter().zip(&seen.pictures[1..]) {
        assert_ne!(one, other, "something moves");
    }
}

#[test]
fn every_operation_is_drawn_as_its_media() {
    for row in onepath_core::generation_operations() {
        let small = json!({"width": 96, "height": 64});
        let picture = drawn(&request(row.generation_type.word(), small, json!({}))).unwrap();
        let wanted = match row.media {
            onepath_core::MediaType::Image => ("image/png", 1),
            onepath_core::MediaType::Video => ("image/gif", 12),
        };
        assert_eq!((picture.media_type, look(&picture).pictures.len()), wanted);
    }
}

#[test]
fn pacing_sets_the_tempo() {
    let delay = |pacing: &str| {
        let text = request("text_to_video", json!({}), json!({"style": {"pacing": pacing}}));
        settings(&text).unwrap().delay_ms
    };
    assert_eq!([delay("slow"), delay("medium"), delay("fast")], [160, 100, 60]);
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    let text = request("text_to_video", json!({"width": 160, "height": 90}), json!({}));
    assert_eq!(drawn(&text).unwrap(), drawn(&text).unwrap());
}

/// A change of these is a change of what people see: look at the pictures, then set them anew.
#[test]
fn the_drawing_itself_is_golden() {
    let kinds = [
        ("text_to_image", json!({})),
        ("dialogue", json!({"from_scene": {"id": "office", "mood": "tense"}})),
        ("npc_response", json!({"prompt": "霧の中の灯台 سلام 😀"})),
        ("environment", json!({"prompt": "a snowy city at night", "to_scene": null})),
    ];
    let digests = kinds.map(|(kind, members)| {
        let video = kind != "text_to_image";
        let frames = if video { json!(4) } else { Value::Null };
        let settings = json!({"width": 320, "height": 180, "frames": frames});
        digest(&look(&drawn(&request(kind, settings, members)).unwrap()))
    });
    assert_eq!(
        digests,
        ["2bd2a2e602f9bd34", "37d4e71965cd4a66", "02e1546ab39ba45d", "93fe561682e3776f"]
    );
}

#[test]
fn another_hash_gives_other_pixels_however_small_the_picture() {
    for (width, height) in [(16, 16), (16, 2048), (64, 64), (320, 180)] {
        let text = request("text_to_image", json!({"width": width, "height": height}), json!({}));
        let request = decode::<GenerateContentRequest<'_>>(&text).into_result().unwrap();
        let one = look(&draw(&request, HASH).unwrap());
        // One bit of the hash.
        let other = look(&draw(&request, &HASH.replace("cdef0123", "cdef0122")).unwrap());
        assert_ne!(one.pictures, other.pictures, "{width}×{height}");
    }
}

#[test]
fn every_place_fits_every_shape() {
    let places = [
        "a rainy street at night",
        "a snowy forest at dusk",
        "a foggy lighthouse at sea",
        "a kitchen",
        "mountains",
        "a planet in space",
        "hills with a beacon",
    ];
    let shapes = [
        (16, 16),
        (47, 47),
        (48, 48),
        (96, 95),
        (239, 131),
        (240, 132),
        (1280, 720),
        (16, 2048),
        (2048, 16),
    ];
    for place in places {
        for kind in ["npc_response", "dialogue", "transition"] {
            for (width, height) in shapes {
                let large = width * height > 100_000;
                if large && kind != "transition" {
                    continue;
                }
                let settings = json!({"width": width, "height": height, "frames": 2});
                let members = json!({"prompt": place, "to_scene": {"id": place},
                    "from_scene": {"id": "home", "location": "an office", "mood": "grim"}});
                let picture = drawn(&request(kind, settings, members)).unwrap();
                assert_eq!(look(&picture).pictures.len(), 2, "{kind} {width}×{height} {place}");
            }
        }
    }
    let largest = json!({"width": 2048, "height": 2048});
    let picture = drawn(&request("text_to_image", largest, json!({}))).unwrap();
    assert_eq!(look(&picture).pictures[0].len(), 2048 * 2048);
}

#[test]
fn each_change_of_what_is_asked_changes_the_bytes() {
    let base = json!({
        "generationType": "text_to_image", "purpose": "ambient", "strategy": "per_player",
        "seedSource": "player", "seed": 7, "version": 1, "prompt": "a lighthouse in fog",
        "negativePrompt": "ships", "style": {"moodFrom": "calm", "moodTo": "tense",
        "pacing": "slow", "local": {"width": 200, "height": 150}},
        "constraints": {"rating": "PG", "requiredElements": ["fog"]}, "duration": {"target": 4},
        "fallback": {"mode": "skip"}
    });
    let changes = [
        ("/purpose", json!("adaptive")),
        ("/seed", json!(8)),
        ("/version", json!(2)),
        ("/prompt", json!("a lighthouse in fog!")),
        ("/negativePrompt", json!("boats")),
        ("/style/moodFrom", json!("quiet")),
        ("/style/moodTo", json!("angry")),
        ("/style/pacing", json!("fast")),
        ("/style/local/width", json!(201)),
        ("/style/local/height", json!(151)),
        ("/constraints/rating", json!("R")),
        ("/constraints/requiredElements", json!(["mist"])),
        ("/duration/target", json!(5)),
    ];
    let made = |config: &Value| {
        let config = config.to_string();
        let config = decode::<GenerationNodeConfig<'_>>(&config).into_result().unwrap();
        let options = r#"{"providerId": "local", "user": {"id": 7}, "toScene": {"id": "quay"}}"#;
        let options = decode::<BuildOptions<'_>>(options).into_result().unwrap();
        let (request, print) = prepare(&config, &options).made.unwrap();
        draw(&request, &print.hashes.unwrap().request.to_string()).unwrap().bytes
    };
    let mut all = vec![made(&base)];
    for (pointer, value) in changes {
        let mut changed = base.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let bytes = made(&changed);
        assert!(!all.contains(&bytes), "{pointer}");
        all.push(bytes);
    }
    // What is in no hash is not drawn either: a shared picture shows nothing of one player.
    let mut shared = base.clone();
    shared["fallback"] = json!({"mode": "retry", "maxRetries": 2, "timeoutMs": 5000});
    shared["style"]["replicate"] = json!({"model": "other"});
    shared["constraints"]["requiredElements"] = json!(["fog", "fog"]);
    shared["constraints"]["avoidElements"] = json!([]);
    shared["style"]["transitionType"] = Value::Null;
    assert_eq!(made(&shared), all[0]);
}

#[test]
fn the_prompt_can_be_read_in_the_picture() {
    let lamp = "1000100013FE1020542058205020902010201020102028202420442040A08040";
    let shown = |prompt: &str| {
        let text = request("text_to_image", json!({}), json!({"prompt": prompt}));
        let seen = look(&drawn(&text).unwrap());
        (shows(&seen, ZHE), shows(&seen, lamp))
    };
    assert_eq!(shown("Ж"), (true, false));
    assert_eq!(shown("光の灯台"), (false, true));
    assert_eq!(shown("plain"), (false, false));
    // Far behind the end of what fits.
    assert_eq!(shown(&("word ".repeat(2000) + "Ж灯")), (false, false));
}

#[test]
fn values_out_of_the_declared_range_are_refused_by_name() {
    let message = |settings: Value| {
        drawn(&request("text_to_video", settings, json!({}))).unwrap_err().to_string()
    };
    assert_eq!(
        message(json!({"width": 15})),
        "`style.local.width` is `15`: give a whole number from 16 to 2048"
    );
    assert_eq!(
        message(json!({"frames": 2.5})),
        "`style.local.frames` is `2.5`: give a whole number from 1 to 240"
    );
    assert_eq!(
        message(json!({"delayMs": "fast"})),
        "`style.local.delayMs` is `fast`: give a whole number from 20 to 10000"
    );
    assert_eq!(
        message(json!({"fail": "often"})),
        "`style.local.fail` is `often`: give an error code of a generation, `hang` or `unknown`"
    );
    let large = json!({"width": 2048, "height": 2048, "frames": 17});
    let error = drawn(&request("text_to_video", large, json!({}))).unwrap_err();
    assert_eq!(error, DrawError::TooMany { width: 2048, height: 2048, frames: 17 });
    assert_eq!(error.code(), ErrorCode::ParamInvalid);
    let text = request("text_to_image", json!({}), json!({}));
    let request = decode::<GenerateContentRequest<'_>>(&text).into_result().unwrap();
    for hash in ["", "abc", &HASH.to_uppercase(), &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(draw(&request, hash), Err(DrawError::Hash));
    }
}

#[test]
fn settings_have_defaults_and_keep_their_shape() {
    let of = |kind: &str, settings_: Value| settings(&request(kind, settings_, json!({}))).unwrap();
    let still = of("text_to_image", json!({}));
    assert_eq!((still.width, still.height, still.frames, still.delay_ms), (640, 360, 1, 0));
    let video = of("text_to_video", json!({"delayMs": 91}));
    assert_eq!((video.width, video.height, video.frames, video.delay_ms), (480, 270, 12, 100));
    let wide = of("text_to_image", json!({"width": 320}));
    assert_eq!((wide.width, wide.height), (320, 180));
    let high = of("text_to_image", json!({"height": 2048, "width": null}));
    assert_eq!((high.width, high.height), (2048, 2048));
    // A request that asks another provider keeps the block in its style.
    let text = request(
        "text_to_image",
        json!({"width": "ignored"}),
        json!({"provider_id": "replicate", "style": {"local": {"width": 160, "fail": "hang"}}}),
    );
    let failover = settings(&text).unwrap();
    assert_eq!((failover.width, failover.height, failover.fail), (160, 90, Some(Fail::Hang)));
}

#[test]
fn what_the_provider_declares_is_what_is_read() {
    let info = providers().iter().find(|info| info.id.as_str() == PROVIDER).unwrap();
    let parameters = info.parameters.as_deref().unwrap();
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["width", "height", "frames", "delayMs", "fail"]);
    for parameter in &parameters[..4] {
        assert_eq!(parameter.kind, Some(ParameterType::Integer));
        assert!(parameter.min < parameter.max);
    }
    let ways: Vec<&str> = Fail::all().map(|(word, _)| word).collect();
    let declared: Vec<&str> = parameters[4]
        .values
        .as_ref()
        .unwrap()
        .iter()
        .map(|value| value.as_text().unwrap())
        .collect();
    assert_eq!(declared, ways);
    for (word, way) in Fail::all() {
        assert_eq!(way.word(), word);
        let text = request("text_to_image", json!({"fail": word}), json!({}));
        assert_eq!(settings(&text).unwrap().fail, Some(way));
    }
    let most = |at: usize| parameters[at].max.unwrap().get() as u64;
    assert!(most(0) * most(1) <= MOST_PIXELS, "the largest picture may be an animation of one");
}

#[test]
fn the_example_game_is_drawn() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/scenes");
    let templates = std::fs::read_to_string(format!("{root}/prompts.json")).unwrap();
    let options = format!(r#"{{"providerId": "local", "now": 0, "templates": {templates}}}"#);
    let options = decode::<BuildOptions<'_>>(&options).into_result().unwrap();
    let mut count = 0;
    for file in ["harbor", "lighthouse"] {
        let text = std::fs::read_to_string(format!("{root}/{file}.json")).unwrap();
        for item in read_document(&text, &options).items {
            let (request, print) = prepare(&item.config, &item.options).made.unwrap();
            let hash = print.hashes.unwrap().request.to_string();
            let picture = draw(&request, &hash).unwrap();
            assert!(picture.bytes.len() < 200_000, "{}", item.name);
            count += 1;
        }
    }
    assert_eq!(count, 26);
}

/// Characters that have tripped programs: controls, marks, directions, joiners, the astral planes.
fn hostile() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        (0_u32..0x20).prop_map(|point| char::from_u32(point).unwrap()),
        (0x300_u32..0x370).prop_map(|point| char::from_u32(point).unwrap()),
        (0x590_u32..0x700).prop_map(|point| char::from_u32(point).unwrap()),
        (0x1F300_u32..0x1F700).prop_map(|point| char::from_u32(point).unwrap()),
        prop::sample::select(
            "\u{200D}\u{202E}\u{2066}\u{FE0F}\u{FEFF}\u{FFFF}\u{E000} \n(a1م"
                .chars()
                .collect::<Vec<_>>()
        ),
    ];
    prop::collection::vec(character, 0..200).prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_requests_are_drawn_within_bounds(
        kind in prop::sample::select(onepath_core::GenerationType::ALL),
        (width, height, frames) in (16_u32..300, 16_u32..300, 1_u32..4),
        (prompt, id, mood, reference) in (hostile(), hostile(), hostile(), hostile()),
        seed in "[0-9a-zé]{1,128}",
    ) {
        let text = request(
            kind.0,
            json!({"width": width, "height": height, "frames": frames}),
            json!({
                "prompt": prompt, "prompts": [mood, prompt], "seed": seed,
                "from_scene": {"id": format!("i{id}"), "mood": mood, "location": reference},
                "to_scene": {"id": format!("{prompt}o"), "mood": id, "summary": prompt},
                "inputs": [{"role": "image", "ref": format!("r{reference}"), "name": mood}],
                "style": {"moodFrom": mood, "moodTo": prompt, "transitionType": "gradual"},
                "constraints": {"requiredElements": [id], "avoidElements": [reference]},
                "npc_params": {"npc_id": "n", "npc_name": mood, "emotion": prompt},
            }),
        );
        let picture = drawn(&text).unwrap();
        prop_assert_eq!((picture.width, picture.height), (width, height));
        let seen = look(&picture);
        prop_assert_eq!(seen.pictures.len() as u32, picture.frames);
        prop_assert_eq!(seen.pictures[0].len() as u32, width * height);
        prop_assert!(picture.bytes.len() as u32 <= 4096 + width * height * picture.frames * 2);
    }

    #[test]
    fn hostile_settings_are_refused_or_drawn(value in prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_filter("finite", |number| number.abs() < 9e15).prop_map(|number| json!(number)),
        hostile().prop_map(|text| json!(text)),
        Just(json!(true)), Just(json!([])), Just(json!({})),
    ], name in prop::sample::select(vec!["width", "height", "frames", "delayMs", "fail"])) {
        let mut asked = json!({"width": 32, "height": 32, "frames": 2});
        asked[name] = value;
        let text = request("text_to_video", asked, json!({}));
        if let Ok(request) = decode::<GenerateContentRequest<'_>>(&text).into_result() {
            match draw(&request, HASH) {
                Ok(picture) => prop_assert!(picture.width <= 2048 && picture.frames <= 240),
                Err(error) => prop_assert_eq!(error.code(), ErrorCode::ParamInvalid),
            }
        }
    }
}
