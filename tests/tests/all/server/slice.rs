//! The whole way, once: a picture and a wish go in, Replicate (its fake) makes something of them and
//! reports it over a webhook, and what it made is there to be shown.

use std::time::Duration;

use onepath_fakes::{Call, Fake, Fault, Kind, Options, Output, Switches, Webhooks, What};
use onepath_server::Settings;
use onepath_server::provider::ProviderSettings;
use onepath_server::service::Plans;
use serde_json::{Value, json};

use super::assets::{FORM, form, png, uploaded};
use super::events::Stream;
use super::http::Reply;
use super::{Folder, Running, merged, settings};

/// The token: nobody is ever shown it.
const TOKEN: &str = "r8_canary_of_the_slice";

/// The fake, a server that it can reach, and where that is.
struct Slice {
    fake: Fake,
    server: Running,
    origin: String,
    _folder: Folder,
}

impl Slice {
    async fn start(switches: Switches, tune: impl FnOnce(&mut Settings)) -> Self {
        Self::with(switches, json!({ "visibility_seconds": 0 }), tune).await
    }

    async fn with(switches: Switches, part: Value, tune: impl FnOnce(&mut Settings)) -> Self {
        let options = Options { switches, ..Options::default() };
        let fake = Fake::start(Kind::Replicate, &options).await.unwrap();
        let folder = Folder::new();
        let mut settings = settings(&folder);
        // Nobody would ask for hours: what happens in time is told over a webhook.
        settings.worker.poll = Duration::from_secs(3600);
        settings.providers = ProviderSettings::default()
            .with_variable("REPLICATE_API_TOKEN", TOKEN)
            .with_variable("REPLICATE_API_URL", fake.url())
            .with("replicate", part);
        tune(&mut settings);
        let server = Running::reached(settings).await;
        let origin = format!("http://{}", server.http.address());
        Self { fake, server, origin, _folder: folder }
    }

    /// A create that brings a picture along, under an idempotency key.
    async fn submit(&self, key: &str, wish: &Value) -> Reply {
        let (envelope, picture) = (wish.to_string(), png(40, 30));
        let body = form(&[
            ("envelope", None, envelope.as_bytes()),
            ("input1", Some("quay.png"), &picture),
        ]);
        let headers = [FORM, ("idempotency-key", key)];
        self.server.http.send("POST", "/api/v1/generations", &headers, &body).await
    }

    /// How a wish of its own ends.
    async fn end(&self, prompt: &str) -> Value {
        let reply = self.submit(&format!("\"{}\"", prompt.replace(' ', "-")), &edit(prompt)).await;
        assert_eq!(reply.status, 202, "{}", reply.text());
        self.server.when_over(reply.json()["id"].as_str().unwrap()).await
    }

    /// Every path of the server, for whoever follows a URL of it.
    fn path<'u>(&self, url: &'u Value) -> &'u str {
        url.as_str().unwrap().strip_prefix(&self.origin).unwrap()
    }
}

/// A wish that starts from the part `input1`.
fn edit(prompt: &str) -> Value {
    json!({
        "config": {
            "generationType": "image_edit", "purpose": "ambient", "strategy": "once",
            "prompt": prompt, "imageUrls": ["input1"], "fallback": { "mode": "retry" },
        },
        "provider_id": "replicate",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_in_and_variants_come_out() {
    let switches = Switches {
        output: Output::List,
        webhooks: Webhooks::Twice,
        takes_ms: 20,
        ..Switches::default()
    };
    let slice = Slice::start(switches, |_| {}).await;
    let accepted = slice.submit("\"one\"", &edit("the quay at night")).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let body = accepted.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(accepted.header("location"), Some(&*format!("/api/v1/generations/{id}")));
    assert_eq!((&body["status"], &body["predictionId"]), (&json!("pending"), &json!(null)));
    assert!(body.as_object().unwrap().contains_key("predictionId"), "{body}");
    let sent = &body["settings"];
    assert_eq!(sent["input"]["prompt"], "the quay at night", "{sent:#}");
    assert!(sent["input"]["image_input"][0].as_str().unwrap().starts_with("asset:"), "{sent:#}");

    let over = slice.server.when_over(id).await;
    assert_eq!(over["status"], "completed", "{over:#}");
    let prediction = slice.fake.predictions().remove(0);
    assert_eq!(over["predictionId"], json!(prediction));
    assert_eq!(&over["settings"], sent);
    for (index, variant) in over["variants"].as_array().unwrap().iter().enumerate() {
        let asset = &over["assets"][index];
        assert_eq!((&variant["index"], &variant["asset_id"]), (&json!(index), &asset["id"]));
        let size = (&variant["media_type"], &variant["width"], &variant["height"]);
        assert_eq!(size, (&json!("image/png"), &json!(96), &json!(64)));
        let http = slice.server.http.without_key();
        let file = http.get(slice.path(&variant["url"])).await;
        assert_eq!(file.status, 200);
        assert_eq!(json!(file.body.len()), asset["bytes"]);
        assert_eq!(http.get(slice.path(&variant["thumbnail_url"])).await.status, 200);
    }
    assert_eq!(over["variants"].as_array().unwrap().len(), 2);

    // What was sent is what was said, with the picture in the place of its reference.
    let asked = slice.fake.asked().remove(0);
    assert_eq!(asked["input"]["prompt"], sent["input"]["prompt"]);
    assert_eq!(asked["version"], sent["version"]);
    let image = asked["input"]["image_input"][0].as_str().unwrap();
    assert!(image.starts_with("data:image/png;base64,"), "{image}");
    let webhook = asked["webhook"].as_str().unwrap();
    assert!(webhook.starts_with(&format!("{}/api/v1/webhooks/replicate/", slice.origin)));
    for told in [body.to_string(), over.to_string()] {
        assert!(!told.contains(TOKEN) && !told.contains("/webhooks/"), "{told}");
    }

    // The same call is the same generation, and a webhook that comes twice ends it once.
    let again = slice.submit("\"one\"", &edit("the quay at night")).await;
    assert_eq!((again.status, &again.body), (202, &accepted.body));
    assert_eq!(slice.fake.charges().len(), 1);
    let mut stream = Stream::open(&slice.server, "backend", "", Some("0")).await;
    let mut known = Vec::new();
    loop {
        let event = stream.next().await;
        if event["asset_id"].is_null() {
            known.push((event["type"].clone(), event["predictionId"].clone()));
        }
        if event["type"] == "generation.completed" {
            break;
        }
    }
    let told = |kind: &str| known.iter().find(|(known, _)| known == kind).unwrap().1.clone();
    assert_eq!(told("generation.created"), json!(null));
    assert_eq!(told("generation.submitted"), json!(prediction));
    assert_eq!(told("generation.completed"), json!(prediction));
    let usage = slice.server.http.get("/api/v1/usage").await.json();
    assert_eq!(usage["runs_month"], 1, "{usage:#}");
    slice.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_has_a_code() {
    let slice = Slice::start(Switches::default(), |settings| {
        settings.attempts = 2;
        settings.worker.poll = Duration::from_millis(20);
        let plans = r#"{"free": {"in_flight": 1, "runs_month": 6}}"#;
        settings.plans = Plans::from_json(plans).unwrap();
    })
    .await;
    // Invalid before anything is asked for: a part that is not there.
    let mut wish = edit("x");
    wish["config"]["imageUrls"] = json!(["input2"]);
    let refused = slice.submit("\"missing\"", &wish).await;
    refused.assert_problem(422, "VALIDATION_ERROR");
    assert_eq!(slice.fake.calls(Call::Create), 0);
    let fault = |fault: Fault| Switches { faults: vec![fault], ..Switches::default() };
    let down =
        Fault { times: 9, retry_after: Some("0".to_owned()), ..Fault::status(Call::Create, 503) };
    for (what, switches, code) in [
        ("invalid input", fault(Fault::status(Call::Create, 422)), "param_invalid"),
        (
            "no output",
            Switches { output: Output::Nothing, ..Switches::default() },
            "output_missing",
        ),
        ("upstream 5xx", fault(down), "provider_unavailable"),
    ] {
        slice.fake.set(switches);
        let over = slice.end(what).await;
        assert_eq!(
            (&over["status"], &over["error_code"]),
            (&json!("failed"), &json!(code)),
            "{what}"
        );
        assert_eq!(over["variants"], json!([]));
    }
    // Taken, and the answer is an error: it is found again, and paid once.
    let charged = slice.fake.charges().len();
    slice.fake.set(fault(Fault { status: 502, ..Fault::new(Call::Create, What::StatusAfter) }));
    let over = slice.end("upstream 5xx after it was taken").await;
    assert_eq!(over["status"], "completed", "{over:#}");
    assert_eq!(slice.fake.charges().len(), charged + 1);
    // One at a time.
    slice.fake.set(Switches { polls: u32::MAX, ..Switches::default() });
    let running = slice.submit("\"running\"", &edit("it takes long")).await;
    assert_eq!(running.status, 202, "{}", running.text());
    let refused = slice.submit("\"second\"", &edit("another")).await;
    refused.assert_problem(429, "TOO_MANY_INFLIGHT");
    let path = format!("/api/v1/generations/{}/cancel", running.json()["id"].as_str().unwrap());
    assert_eq!(slice.server.http.post(&path, &json!({})).await.status, 200);
    slice.server.when_over(running.json()["id"].as_str().unwrap()).await;
    slice.fake.set(Switches::default());
    // And so many a month: what failed was given back.
    let mut last = Vec::new();
    for number in 0..7 {
        let reply =
            slice.submit(&format!("\"month-{number}\""), &edit(&format!("day {number}"))).await;
        if reply.status != 202 {
            reply.assert_problem(402, "LIMIT_EXCEEDED");
            last.push(number);
            break;
        }
        slice.server.when_over(reply.json()["id"].as_str().unwrap()).await;
    }
    assert!(!last.is_empty(), "the month has six runs");
    slice.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stuck_ends() {
    let switches = Switches { end: "never".to_owned(), ..Switches::default() };
    let slice = Slice::start(switches, |settings| {
        settings.attempts = 1;
        settings.worker.deadline = Duration::from_millis(400);
        settings.worker.poll = Duration::from_millis(20);
    })
    .await;
    let over = slice.end("it never ends").await;
    let end = (&over["status"], &over["error_code"]);
    assert_eq!(end, (&json!("failed"), &json!("provider_timeout")));
    slice.server.stop().await;
}

/// Whoever asks for what nobody looked at for five seconds has the provider asked: once.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_generation_is_looked_at_when_somebody_asks() {
    let switches = Switches { polls: 1, webhooks: Webhooks::None, ..Switches::default() };
    let slice = Slice::start(switches, |settings| {
        settings.worker.poll = Duration::from_secs(50);
    })
    .await;
    let id = slice.submit("\"stale\"", &edit("nobody tells")).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    slice.server.when(&id, "it is submitted", |_| slice.fake.calls(Call::Status) == 1).await;
    let ben = slice.server.http.with_key("ben");
    let path = format!("/api/v1/generations/{id}");
    let over = ["completed", "failed"];
    let asked = async {
        loop {
            let (own, other) = tokio::join!(slice.server.get(&id), ben.get(&path));
            assert!(matches!(other.status, 200 | 404));
            if over.contains(&own["status"].as_str().unwrap()) {
                return own;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let own = super::within("the provider is asked", asked).await;
    assert_eq!(own["status"], "completed", "{own:#}");
    assert_eq!(slice.fake.calls(Call::Status), 2, "once, however many asked");
    slice.server.stop().await;
}

/// A picture that is too large to travel inside of a request.
fn large() -> Vec<u8> {
    let noise = |x: u32, y: u32| x.wrapping_mul(2_654_435_761).wrapping_add(y.wrapping_mul(40_503));
    let mut out = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_fn(400, 400, |x, y| {
        let [a, b, c, _] = (noise(x, y) ^ noise(y, x).rotate_left(13)).to_le_bytes();
        image::Rgb([a, b, c])
    });
    image::DynamicImage::ImageRgb8(image).write_to(&mut out, image::ImageFormat::Png).unwrap();
    let bytes = out.into_inner();
    assert!(bytes.len() > 256 << 10, "{}", bytes.len());
    bytes
}

fn from_asset(asset: &str, prompt: &str) -> Value {
    merged(edit(prompt), json!({ "config": { "imageUrls": [format!("asset:{asset}")] } }))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_start_from_is_handed_over_once() {
    let slice = Slice::start(Switches::default(), |_| {}).await;
    let asset = uploaded(&slice.server.http, &large()).await;
    let mut places = Vec::new();
    for prompt in ["dawn", "noon", "dusk"] {
        let id = slice.server.created(&from_asset(&asset, prompt)).await;
        assert_eq!(slice.server.when_over(&id).await["status"], "completed");
    }
    for asked in slice.fake.asked() {
        places.push(asked["input"]["image_input"][0].as_str().unwrap().to_owned());
    }
    assert!(places[0].starts_with(&slice.fake.url()), "{places:?}");
    assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
    assert_eq!(slice.fake.calls(Call::Upload), 1);
    // A run that failed may have started from what is gone: the next one hands it over anew.
    slice.fake.set(Switches { end: "failed".to_owned(), ..Switches::default() });
    let wish = merged(
        from_asset(&asset, "midnight"),
        json!({ "config": { "fallback": { "mode": "skip" } } }),
    );
    let id = slice.server.created(&wish).await;
    slice.server.when_over(&id).await;
    slice.fake.set(Switches::default());
    let before = slice.fake.calls(Call::Upload);
    let id = slice.server.created(&from_asset(&asset, "morning")).await;
    assert_eq!(slice.server.when_over(&id).await["status"], "completed");
    assert_eq!(slice.fake.calls(Call::Upload), before + 1);
    slice.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_may_read_large_inputs_for_five_minutes() {
    let part = json!({ "visibility_seconds": 0, "input_urls": true });
    let slice = Slice::with(Switches::default(), part, |_| {}).await;
    let bytes = large();
    let asset = uploaded(&slice.server.http, &bytes).await;
    let before = now();
    let id = slice.server.created(&from_asset(&asset, "dawn")).await;
    assert_eq!(slice.server.when_over(&id).await["status"], "completed");
    let url = slice.fake.asked().remove(0)["input"]["image_input"][0].clone();
    let file = slice.server.http.without_key().get(slice.path(&url)).await;
    assert_eq!((file.status, file.body == bytes), (200, true));
    let expires = url.as_str().unwrap().split_once("expires=").unwrap().1;
    let expires: i64 = expires.split('&').next().unwrap().parse().unwrap();
    assert!((before + 300_000..=now() + 300_000).contains(&expires), "{expires}");
    assert_eq!(slice.fake.calls(Call::Upload), 0);
    slice.server.stop().await;
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
