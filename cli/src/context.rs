//! The context beside a document: worlds, users, sessions, templates and providers from files.

use onepath_core::{
    BuildOptions, Decode, Decoded, Id, Integer, Named, Npc, PriceTable, ProviderInfo, Session,
    Template, User, World, decode,
};

use crate::input::{self, Source};
use crate::render::{Format, Renderer};

/// Flags of commands that check.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckContext {
    /// A world to check against, as a JSON file; a scene file's own counts before it
    #[arg(long, value_name = "FILE")]
    world: Option<String>,
    /// A user to check against, as a JSON file; a scene file's own counts before it
    #[arg(long, value_name = "FILE")]
    user: Option<String>,
    /// Templates by id, as a JSON file
    #[arg(long, value_name = "FILE")]
    prompts: Option<String>,
}

/// Flags of commands that build.
#[derive(Debug, clap::Args)]
pub(crate) struct BuildContext {
    #[command(flatten)]
    check: CheckContext,
    /// The provider that is asked
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// What a provider declares that is not known here, as a JSON file
    #[arg(long, value_name = "FILE")]
    provider_info: Option<String>,
    /// A playthrough's state, as a JSON file; a scene file's own counts before it
    #[arg(long, value_name = "FILE")]
    session: Option<String>,
    /// The npcs of the scene, in order: ids with commas between, or a JSON file with a list of npcs
    #[arg(long, value_name = "IDS|FILE")]
    npcs: Option<String>,
    /// The time for timestamp seeds, in milliseconds since 1970
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    now: Option<i64>,
}

/// The texts that the options borrow from.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    world: Option<(Source, String)>,
    user: Option<(Source, String)>,
    prompts: Option<(Source, String)>,
    session: Option<(Source, String)>,
    npcs: Option<(Source, String)>,
    provider_info: Option<(Source, String)>,
    npc_ids: Option<String>,
    provider: Option<String>,
    now: Option<i64>,
}

fn load(path: Option<&String>) -> Result<Option<(Source, String)>, String> {
    let Some(path) = path else { return Ok(None) };
    let source = Source { path: path.into(), named: true };
    let text = input::read(&source)?;
    Ok(Some((source, text)))
}

impl CheckContext {
    pub(crate) fn load(&self) -> Result<Texts, String> {
        Ok(Texts {
            world: load(self.world.as_ref())?,
            user: load(self.user.as_ref())?,
            prompts: load(self.prompts.as_ref())?,
            ..Texts::default()
        })
    }
}

impl BuildContext {
    pub(crate) fn load(&self) -> Result<Texts, String> {
        let npcs = self.npcs.as_ref();
        let is_file = |value: &&String| std::path::Path::new(value.as_str()).is_file();
        Ok(Texts {
            session: load(self.session.as_ref())?,
            npcs: load(npcs.filter(is_file))?,
            provider_info: load(self.provider_info.as_ref())?,
            npc_ids: npcs.filter(|value| !is_file(value)).cloned(),
            provider: self.provider.clone(),
            now: self.now,
            ..self.check.load()?
        })
    }
}

impl Texts {
    /// The options that the flags give; faults in their files are shown, and nothing runs.
    pub(crate) fn options(&self) -> Result<BuildOptions<'_>, String> {
        let npc_ids = self
            .npc_ids
            .as_ref()
            .map(|ids| ids.split(',').map(str::trim).filter_map(Id::new).collect::<Vec<Id<'_>>>());
        let now = match self.now {
            Some(now) => {
                Some(Integer::new(now).ok_or("--now: a whole number of milliseconds is needed")?)
            }
            None => None,
        };
        let npcs = part::<Vec<Npc<'_>>>(self.npcs.as_ref())?;
        // A list of npcs says who is in the scene, too.
        let listed = || npcs.as_ref().map(|npcs| npcs.iter().map(|npc| npc.id.clone()).collect());
        let npc_ids = npc_ids.or_else(listed);
        Ok(BuildOptions {
            world: part::<World<'_>>(self.world.as_ref())?,
            user: part::<User<'_>>(self.user.as_ref())?,
            session: part::<Session<'_>>(self.session.as_ref())?,
            templates: part::<Named<'_, Template<'_>>>(self.prompts.as_ref())?,
            npcs,
            npc_ids,
            provider: part::<ProviderInfo<'_>>(self.provider_info.as_ref())?,
            provider_id: self.provider.as_deref().and_then(Id::new),
            now,
            ..BuildOptions::default()
        })
    }
}

fn part<'a, T: Decode<'a>>(file: Option<&'a (Source, String)>) -> Result<Option<T>, String> {
    let Some((source, text)) = file else { return Ok(None) };
    let Decoded { value, faults } = decode::<T>(text);
    if faults.is_empty() {
        return Ok(value);
    }
    Renderer::stderr(Format::Full).document(&source.name(), text, &faults);
    Err(format!("{} cannot be used", source.name()))
}

/// Prices of an operator.
#[derive(Debug)]
pub(crate) struct Prices(Option<(Source, String)>);

impl Prices {
    pub(crate) fn load(path: Option<&String>) -> Result<Self, String> {
        load(path).map(Self)
    }

    pub(crate) fn table(&self) -> Result<Option<PriceTable<'_>>, String> {
        part(self.0.as_ref())
    }
}
