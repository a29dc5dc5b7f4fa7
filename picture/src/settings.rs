//! The provider's settings, `style.local`, with their ranges and defaults.

use onepath_core::lifecycle::ErrorCode;
use onepath_core::{
    GenerateContentRequest, Map, MediaType, Pacing, ProviderInfo, Value, providers,
};

use crate::DrawError;

/// The id of the provider that this crate draws for, and of its block in `style`.
pub const PROVIDER: &str = "local";

/// Pixels that all pictures of an animation have together, at most: what bounds the time.
pub const MOST_PIXELS: u64 = 1 << 26;

/// How large and how long a picture is, and how the provider fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Pixels from left to right. 640 for a picture and 480 for an animation if absent, or in
    /// 16 to 9 to a given height.
    pub width: u32,
    /// Pixels from top to bottom. 360 and 270 if absent, or in 16 to 9 to a given width.
    pub height: u32,
    /// Pictures of an animation, 12 if absent; always 1 for a picture.
    pub frames: u32,
    /// Milliseconds between the pictures of an animation, in steps of 10; if absent 160 for the
    /// pacing `slow`, 60 for `fast`, else 100. 0 for a picture.
    pub delay_ms: u32,
    /// How the provider fails instead of drawing.
    pub fail: Option<Fail>,
}

/// A way in which the provider fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fail {
    /// With this error code.
    With(ErrorCode),
    /// It takes the request and says for ever that it is at work.
    Hang,
    /// It takes the request and reports a status that nobody knows.
    Unknown,
}

impl Fail {
    /// Every way, with its word in `style.local.fail`: the error codes of a generation, `hang` and
    /// `unknown`.
    ///
    /// ```
    /// use onepath_core::lifecycle::ErrorCode;
    /// use onepath_picture::Fail;
    ///
    /// assert!(Fail::all().any(|way| way == ("provider_quota", Fail::With(ErrorCode::ProviderQuota))));
    /// assert!(Fail::all().any(|way| way == ("hang", Fail::Hang)));
    /// ```
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        let codes = ErrorCode::ALL.iter().map(|&(word, code)| (word, Self::With(code)));
        codes.chain([("hang", Self::Hang), ("unknown", Self::Unknown)])
    }

    /// Its word in `style.local.fail`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::With(code) => code.word(),
            Self::Hang => "hang",
            Self::Unknown => "unknown",
        }
    }
}

impl Settings {
    /// Reads the settings of a request: its `provider_settings` if it asks this provider, else the
    /// block `local` of its style.
    ///
    /// # Errors
    ///
    /// [`DrawError::Setting`] for a value of another kind or out of the declared range, and
    /// [`DrawError::TooMany`] for an animation that is too large as a whole.
    pub fn of(request: &GenerateContentRequest<'_>) -> Result<Self, DrawError> {
        let asked = request.provider_id.as_ref().is_some_and(|id| id.as_str() == PROVIDER);
        let block = if asked {
            request.provider_settings.as_ref()
        } else {
            request.style.as_ref().and_then(|style| style.block(PROVIDER))
        };
        let read =
            Read { block, info: providers().iter().find(|info| info.id.as_str() == PROVIDER) };
        let video = request.operation().media() == MediaType::Video;
        let standard = if video { (480, 270) } else { (640, 360) };
        let (width, height) = match (read.whole("width")?, read.whole("height")?) {
            (Some(width), Some(height)) => (width, height),
            (Some(width), None) => (width, read.within("height", width * 9 / 16)),
            (None, Some(height)) => (read.within("width", height * 16 / 9), height),
            (None, None) => standard,
        };
        let pacing = request.style.as_ref().and_then(|style| style.pacing);
        let (frames, delay_ms) = if video {
            let delay = match pacing {
                Some(Pacing::Slow) => 160,
                Some(Pacing::Fast) => 60,
                Some(Pacing::Medium) | None => 100,
            };
            let delay = read.whole("delayMs")?.unwrap_or(delay);
            // A GIF counts in hundredths of a second.
            (read.whole("frames")?.unwrap_or(12), delay.div_ceil(10) * 10)
        } else {
            (1, 0)
        };
        let pixels = u64::from(width) * u64::from(height) * u64::from(frames);
        if video && pixels > MOST_PIXELS {
            return Err(DrawError::TooMany { width, height, frames });
        }
        Ok(Self { width, height, frames, delay_ms, fail: read.fail()? })
    }
}

/// A block and what the provider declares about it.
struct Read<'r> {
    block: Option<&'r Map<'r>>,
    info: Option<&'static ProviderInfo<'static>>,
}

impl Read<'_> {
    /// The value of a setting; `null` and `""` count as absent, the declared default stands for it.
    fn value(&self, name: &str) -> Option<&Value<'_>> {
        let given = self.block.and_then(|block| block.get(name));
        given
            .filter(|value| !matches!(value, Value::Null) && value.as_text() != Some(""))
            .or_else(|| self.info?.default_of(name, None))
    }

    /// The declared range of a setting; every whole number of pixels if none is declared.
    fn range(&self, name: &str) -> (u32, u32) {
        let parameters = self.info.and_then(|info| info.parameters.as_deref()).unwrap_or_default();
        let parameter = parameters.iter().find(|parameter| parameter.name.as_str() == name);
        let bound = |bound: Option<onepath_core::Number>| bound.map(|bound| bound.get() as u32);
        (
            parameter.and_then(|parameter| bound(parameter.min)).unwrap_or(1),
            parameter.and_then(|parameter| bound(parameter.max)).unwrap_or(1),
        )
    }

    fn within(&self, name: &str, value: u32) -> u32 {
        let (min, max) = self.range(name);
        value.max(min).min(max)
    }

    fn whole(&self, name: &'static str) -> Result<Option<u32>, DrawError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let (min, max) = self.range(name);
        let whole = value.as_number().filter(|number| {
            number.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(number)
        });
        match whole {
            Some(whole) => Ok(Some(whole as u32)),
            None => Err(DrawError::Setting {
                name,
                found: shown(value),
                expected: format!("a whole number from {min} to {max}"),
            }),
        }
    }

    fn fail(&self) -> Result<Option<Fail>, DrawError> {
        let Some(value) = self.value("fail") else { return Ok(None) };
        let way = Fail::all().find(|(word, _)| value.as_text() == Some(word));
        way.map(|(_, way)| Some(way)).ok_or_else(|| DrawError::Setting {
            name: "fail",
            found: shown(value),
            expected: "an error code of a generation, `hang` or `unknown`".to_owned(),
        })
    }
}

/// A value in a message, in part if it is long.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.chars().take(40).collect(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "an object".to_owned(),
    }
}
