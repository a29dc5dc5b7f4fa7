//! The context beside a document: worlds, users, sessions, templates and providers from files.

use onepath_core::{
    BuildOptions, Decode, Decoded, Id, Integer, Named, Npc, PlanPart, PriceTable, ProviderInfo,
    Session, Template, Terms, User, World, decode,
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
    /// Terms that are refused or reported, as a JSON file: those of world and provider count, too
    #[arg(long, value_name = "FILE")]
    terms: Option<String>,
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
    terms: Option<(Source, String)>,
    session: Option<(Source, String)>,
    npcs: Option<(Source, String)>,
    provider_info: Option<(Source, String)>,
    npc_ids: Option<String>,
    provider: Option<String>,
    now: Option<i64>,
}

/// Reads the file of a flag; none if there is no such file where the flag looks for it.
pub(crate) type Reading<'r> = &'r dyn Fn(&str) -> Result<Option<(Source, String)>, String>;

/// Reads a file as it lies here.
fn here(path: &str) -> Result<Option<(Source, String)>, String> {
    let source = Source { path: path.into(), named: true };
    let text = input::read(&source)?;
    Ok(Some((source, text)))
}

fn load(path: Option<&String>, read: Reading<'_>) -> Result<Option<(Source, String)>, String> {
    path.map_or(Ok(None), |path| read(path))
}

impl CheckContext {
    pub(crate) fn load(&self) -> Result<Texts, String> {
        self.load_with(&here)
    }

    fn load_with(&self, read: Reading<'_>) -> Result<Texts, String> {
        Ok(Texts {
            world: load(self.world.as_ref(), read)?,
            user: load(self.user.as_ref(), read)?,
            prompts: load(self.prompts.as_ref(), read)?,
            terms: load(self.terms.as_ref(), read)?,
            ..Texts::default()
        })
    }
}

impl BuildContext {
    pub(crate) fn load(&self) -> Result<Texts, String> {
        self.load_with(&here)
    }

    /// The same, with the files read as `read` says.
    pub(crate) fn load_with(&self, read: Reading<'_>) -> Result<Texts, String> {
        let npcs = self.npcs.as_ref();
        let npcs_file = self.npcs_file();
        Ok(Texts {
            session: load(self.session.as_ref(), read)?,
            npcs: load(npcs_file, read)?,
            provider_info: load(self.provider_info.as_ref(), read)?,
            npc_ids: npcs.filter(|_| npcs_file.is_none()).cloned(),
            provider: self.provider.clone(),
            now: self.now,
            ..self.check.load_with(read)?
        })
    }

    /// `--npcs`, if it names a file.
    fn npcs_file(&self) -> Option<&String> {
        self.npcs.as_ref().filter(|value| std::path::Path::new(value.as_str()).is_file())
    }

    /// The parts of the context that flags give as files.
    pub(crate) fn files(&self) -> Vec<(PlanPart, &str)> {
        let all = [
            (PlanPart::World, self.check.world.as_ref()),
            (PlanPart::User, self.check.user.as_ref()),
            (PlanPart::Session, self.session.as_ref()),
            (PlanPart::Npcs, self.npcs_file()),
            (PlanPart::Templates, self.check.prompts.as_ref()),
            (PlanPart::Provider, self.provider_info.as_ref()),
        ];
        all.into_iter().filter_map(|(part, file)| Some((part, file?.as_str()))).collect()
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
            terms: part::<Terms<'_>>(self.terms.as_ref())?,
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
        load(path, &here).map(Self)
    }

    pub(crate) fn table(&self) -> Result<Option<PriceTable<'_>>, String> {
        part(self.0.as_ref())
    }
}
