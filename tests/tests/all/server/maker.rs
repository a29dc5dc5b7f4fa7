//! A provider whose every answer a test decides, and that remembers who asked. It stands in for
//! PixVerse, whose prices are known in credits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Cursor;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use onepath_core::lifecycle::{ErrorCode, ProviderReport};
use onepath_core::{ProviderInfo, providers};
use onepath_server::provider::{
    Credentials, Credits, Found, NoAnswer, Output, Provider, Refusal, Standing, Submission,
    SubmitError,
};

/// What the maker knows and is told.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Every submission: its token, with which account and key, and where.
    pub(super) submitted: Vec<Asked>,
    /// What they asked for, as JSON texts.
    pub(super) requests: Vec<String>,
    /// With which accounts it was asked how something stands.
    pub(super) polled: BTreeSet<String>,
    /// What is made when it is asked next, by token.
    running: BTreeSet<String>,
    /// The most that ran at the same time, by account.
    pub(super) most: BTreeMap<String, usize>,
    /// Whether what runs is finished at the next question.
    pub(super) finishes: bool,
    /// What submissions are refused with, one after the other.
    pub(super) refusals: VecDeque<Refusal>,
    /// What runs ends with, one after the other.
    pub(super) ends: VecDeque<ErrorCode>,
    /// What accounts have left; absent where it does not tell.
    pub(super) credits: BTreeMap<String, i64>,
    /// How often it told what is left.
    pub(super) told: usize,
}

/// One submission, as the maker saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) token: String,
    pub(super) account: String,
    pub(super) secret: String,
    pub(super) endpoint: String,
}

/// Its id.
pub(super) const MAKER: &str = "pixverse";

/// The provider.
#[derive(Debug, Clone)]
pub(super) struct Maker {
    info: &'static ProviderInfo<'static>,
    book: Arc<Mutex<Book>>,
}

impl Maker {
    pub(super) fn new() -> Self {
        let info = providers().iter().find(|info| info.id.as_str() == MAKER).unwrap();
        let book = Book { finishes: true, ..Book::default() };
        Self { info, book: Arc::new(Mutex::new(book)) }
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }
}

fn name(account: Option<&Credentials>) -> String {
    account.map_or(String::new(), |account| account.account.clone())
}

#[async_trait]
impl Provider for Maker {
    fn info(&self) -> &ProviderInfo<'static> {
        self.info
    }

    async fn submit(&self, submission: &Submission) -> Result<String, SubmitError> {
        let mut book = self.book();
        let account = submission.account.as_ref();
        let asked = Asked {
            token: submission.token.clone(),
            account: name(account),
            secret: account
                .and_then(|account| account.secret.as_ref())
                .map_or(String::new(), |secret| secret.expose().to_owned()),
            endpoint: account.and_then(|account| account.endpoint.clone()).unwrap_or_default(),
        };
        book.submitted.push(asked.clone());
        book.requests.push(submission.request.clone());
        if let Some(refusal) = book.refusals.pop_front() {
            return Err(refusal.into());
        }
        book.running.insert(submission.token.clone());
        let mine: Vec<String> = book.running.iter().cloned().collect();
        let same = book
            .submitted
            .iter()
            .filter(|one| one.account == asked.account && mine.contains(&one.token));
        let running = same.count();
        let most = book.most.entry(asked.account).or_default();
        *most = running.max(*most);
        Ok(submission.token.clone())
    }

    async fn status(&self, submission: &Submission, _: &str) -> Result<Standing, NoAnswer> {
        let mut book = self.book();
        book.polled.insert(name(submission.account.as_ref()));
        if !book.finishes {
            return Ok(Standing::of(ProviderReport::Running));
        }
        book.running.remove(&submission.token);
        Ok(match book.ends.pop_front() {
            Some(code) => Standing::failed(code, "as the test wants"),
            None => Standing::made(["picture".to_owned()]),
        })
    }

    async fn find(&self, submission: &Submission) -> Result<Found, NoAnswer> {
        let book = self.book();
        Ok(match book.submitted.iter().find(|one| one.token == submission.token) {
            Some(one) => Found::Prediction(one.token.clone()),
            None => Found::NotThere,
        })
    }

    fn visibility(&self) -> Duration {
        Duration::ZERO
    }

    async fn cancel(&self, submission: &Submission, _: &str) -> Result<(), NoAnswer> {
        self.book().running.remove(&submission.token);
        Ok(())
    }

    async fn fetch(&self, _: &Submission, _: &Output) -> Result<Vec<u8>, NoAnswer> {
        let mut png = Cursor::new(Vec::new());
        image::RgbImage::new(2, 2).write_to(&mut png, image::ImageFormat::Png).unwrap();
        Ok(png.into_inner())
    }

    async fn credits(&self, account: Option<&Credentials>) -> Result<Option<Credits>, NoAnswer> {
        let mut book = self.book();
        let left = book.credits.get(&name(account)).copied();
        book.told += usize::from(left.is_some());
        Ok(left.map(|left| [("standard".to_owned(), left)].into()))
    }
}
