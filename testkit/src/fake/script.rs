//! What the scripted provider does with a submission: a word of the request's `script`.

/// What becomes of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It is refused with an error code of a generation.
    Refused(String),
    /// 429, with `Retry-After: 0`.
    Busy,
    /// 503: it is not taken.
    Down,
    /// The connection ends before anything is taken.
    Dropped,
    /// It is taken and charged.
    Taken(Answer, Ending),
}

/// How a submission that was taken is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With the prediction.
    Good,
    /// The connection ends.
    Lost,
    /// Half of the answer, then the connection ends.
    Half,
    /// 200, with a page for people.
    Page,
    /// 500.
    Error,
    /// Never.
    Never,
}

/// How a prediction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With a picture.
    Good,
    /// It fails with an error code of a generation.
    Failed(String),
    /// It succeeds, and gives nothing.
    Nothing,
    /// The picture cannot be fetched.
    Gone,
    /// The picture is none.
    Junk,
    /// The picture ends in the middle, with the connection.
    Cut,
    /// Never.
    Never,
    /// With a word that nobody knows.
    Strange,
    /// The answers about it speak of another.
    Wrong,
    /// With a picture; but every other question about it fails in another way.
    Flaky,
}

impl Act {
    /// Every word, with a code where it has one.
    pub const WORDS: [&'static str; 19] = [
        "ok",
        "refuse:param_invalid",
        "busy",
        "down",
        "drop",
        "lost",
        "half",
        "page",
        "error",
        "hang",
        "fail:content_output_rejected",
        "fail:provider_generic",
        "nothing",
        "gone",
        "junk",
        "cut",
        "never",
        "strange",
        "wrong",
    ];

    /// The act of a word; a good end if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let (word, code) = word.split_once(':').unwrap_or((word, "provider_generic"));
        let taken = |answer| Self::Taken(answer, Ending::Good);
        let ending = |ending| Self::Taken(Answer::Good, ending);
        match word {
            "refuse" => Self::Refused(code.to_owned()),
            "busy" => Self::Busy,
            "down" => Self::Down,
            "drop" => Self::Dropped,
            "lost" => taken(Answer::Lost),
            "half" => taken(Answer::Half),
            "page" => taken(Answer::Page),
            "error" => taken(Answer::Error),
            "hang" => taken(Answer::Never),
            "fail" => ending(Ending::Failed(code.to_owned())),
            "nothing" => ending(Ending::Nothing),
            "gone" => ending(Ending::Gone),
            "junk" => ending(Ending::Junk),
            "cut" => ending(Ending::Cut),
            "never" => ending(Ending::Never),
            "strange" => ending(Ending::Strange),
            "wrong" => ending(Ending::Wrong),
            "flaky" => ending(Ending::Flaky),
            _ => taken(Answer::Good),
        }
    }

    /// The act of the `turn`th submission of a script, from 0; behind its end everything is well.
    #[must_use]
    pub fn of(script: &str, turn: usize) -> Self {
        Self::parse(script.split_whitespace().nth(turn).unwrap_or("ok"))
    }
}
