//! From the compiled module to what the npm package holds of it.
//!
//! `onepath-bindgen MODULE SOURCES FOLDER` writes `onepath.wasm`, `module.js` (the functions over it and
//! what starts it, in one file), the entries `index.js` (with the module in its text), `slim.js` and
//! `workerd.js`, and `bindings.d.ts`.

mod join;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let given = (args.next(), args.next(), args.next(), args.next());
    let (Some(module), Some(sources), Some(folder), None) = given else {
        eprintln!("usage: onepath-bindgen MODULE SOURCES FOLDER");
        return ExitCode::from(2);
    };
    match write(Path::new(&module), Path::new(&sources), Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("onepath-bindgen: {message}");
            ExitCode::FAILURE
        }
    }
}

fn write(module: &Path, sources: &Path, folder: &Path) -> Result<(), String> {
    let raw = folder.join("raw");
    let fail = |error: &dyn std::fmt::Display| error.to_string();
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("onepath")
        .remove_name_section(true)
        .remove_producers_section(true)
        .typescript(true)
        .encode_into(EncodeInto::Always)
        .bundler(true)
        .and_then(Bindgen::generate_output)
        .and_then(|mut output| output.emit(&raw))
        .map_err(|error| format!("{error:#}"))?;
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()));
    let put = |name: &str, text: &str| {
        fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))
    };

    let snippet = only_file(&raw.join("snippets"))?;
    let inside = snippet.strip_prefix(&raw).map_err(|error| fail(&error))?;
    let import = format!("'./{}'", inside.display());
    let bindings = read(&raw.join("onepath_bg.js"))?;
    if bindings.matches(&import).count() != 1 {
        return Err(format!("the bindings should import {import} once"));
    }
    let bindings = join::bare(&bindings)?;
    let hashes = hashes(&bindings);
    let bindings = without(&hashes, shorter(&bindings)?);

    let types = read(&raw.join("onepath.d.ts"))?;
    let names: Vec<&str> = types
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix("export function ").or(line.strip_prefix("export class "));
            rest?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
        })
        .chain(["OnepathRefusal"])
        .collect();
    if names.len() == 1 {
        return Err("the module exports nothing".to_owned());
    }
    let source = |name: &str| join::bare(&read(&sources.join(name))?);
    let parts = [
        join::bare(&read(&snippet)?)?,
        join::below_document(&bindings)?,
        join::namespace(&bindings),
        source("document.js")?,
        source("start.js")?,
    ];
    put("module.js", &join::module(&parts, &names))?;
    put("bindings.d.ts", &types)?;
    let module = fs::read(raw.join("onepath_bg.wasm")).map_err(|error| fail(&error))?;
    let module = without_in(&hashes, module);
    let inline = join::inline(&module, &deflated(&module)?);
    let entry = |name: &str| join::entry(&read(&sources.join(name))?, &names);
    put("index.js", &[inline, source("inflate.js")?, entry("index.js")?].concat())?;
    put("slim.js", &entry("slim.js")?)?;
    put("workerd.js", &entry("workerd.js")?)?;
    fs::write(folder.join("onepath.wasm"), &module).map_err(|error| fail(&error))?;
    fs::remove_dir_all(&raw).map_err(|error| fail(&error))
}

/// Deflated as small as the format allows: it is done once, and loaded by everybody.
fn deflated(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Deflate, module, &mut out)
        .map_err(|error| format!("deflating the module: {error}"))?;
    Ok(out)
}

/// How texts get into the module: as bytes at once, where the bindings would go letter by letter.
const PASS: &str = "\
function passStringToWasm0(arg, malloc, realloc) {
let size = arg.length;
let ptr = malloc(size, 1) >>> 0;
const encode = (text, at) => cachedTextEncoder.encodeInto(text, getUint8ArrayMemory0().subarray(ptr + at, ptr + size));
let { read, written } = encode(arg, 0);
if (read < arg.length) {
const rest = arg.slice(read);
ptr = realloc(ptr, size, size = written + rest.length * 3, 1) >>> 0;
written += encode(rest, written).written;
ptr = realloc(ptr, size, written, 1) >>> 0;
}
WASM_VECTOR_LEN = written;
return ptr;
}
";

/// What most functions end with, and one function for it.
const ANSWER: &str = "\
if (ret[2]) {
throw takeFromExternrefTable0(ret[1]);
}
return takeFromExternrefTable0(ret[0]);
";
const ANSWERED: &str = "\
function answered(ret) {
const value = takeFromExternrefTable0(ret[ret[2]]);
if (ret[2]) throw value;
return value;
}
";

/// Long names of the bindings' own functions and variables, which nobody else sees.
const NAMES: [(&str, &str); 14] = [
    ("takeFromExternrefTable0", "taken"),
    ("addToExternrefTable0", "given"),
    ("getUint8ArrayMemory0", "allBytes"),
    ("cachedUint8ArrayMemory0", "lastBytes"),
    ("getDataViewMemory0", "allView"),
    ("cachedDataViewMemory0", "lastView"),
    ("getStringFromWasm0", "textAt"),
    ("passStringToWasm0", "passText"),
    ("WASM_VECTOR_LEN", "passedLength"),
    ("cachedTextDecoder", "decoder"),
    ("cachedTextEncoder", "encoder"),
    ("numBytesDecoded", "decodedBytes"),
    ("MAX_SAFARI_DECODE_BYTES", "mostBytes"),
    ("DocumentFinalization", "lostDocuments"),
];

/// The same bindings in fewer bytes.
fn shorter(bindings: &str) -> Result<String, String> {
    let start = bindings.find("function passStringToWasm0(").ok_or("no `passStringToWasm0`")?;
    let (before, rest) = bindings.split_at(start);
    let end = rest.find("\nfunction ").ok_or("`passStringToWasm0` has no end")?;
    let after = rest.get(end + 1..).unwrap_or("");
    let mut out = String::new();
    let bindings = [before, PASS, after].concat().replace(ANSWER, "return answered(ret);\n");
    for line in bindings.lines() {
        // `const ret = …;` and `return answered(ret);` are one line.
        let call = out.rsplit_once("const ret = ").filter(|_| line == "return answered(ret);");
        match call.and_then(|(before, call)| Some((before.len(), call.strip_suffix(";\n")?))) {
            Some((before, call)) => {
                let answer = format!("return answered({call});\n");
                out.truncate(before);
                out += &answer;
            }
            None => {
                out += line;
                out.push('\n');
            }
        }
    }
    out += ANSWERED;
    for (long, short) in NAMES {
        out = out.replace(long, short);
    }
    Ok(out)
}

/// The hashes behind the names of imports. The names are told apart without them.
fn hashes(bindings: &str) -> Vec<String> {
    let words = bindings.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let imports = words.filter(|word| word.starts_with("__wbg_"));
    let last = imports.filter_map(|word| word.rsplit('_').next());
    let is_hash =
        |part: &&str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    last.filter(is_hash).map(str::to_owned).collect()
}

/// Zeros instead of hashes: they take no room when the text is packed.
fn without(hashes: &[String], text: String) -> String {
    hashes.iter().fold(text, |text, hash| text.replace(hash.as_str(), &"0".repeat(hash.len())))
}

fn without_in(hashes: &[String], mut module: Vec<u8>) -> Vec<u8> {
    for hash in hashes {
        let mut at = 0;
        while let Some(part) = module.get_mut(at..at + hash.len()) {
            if part == hash.as_bytes() {
                part.fill(b'0');
            }
            at += 1;
        }
    }
    module
}

/// The one file below a folder.
fn only_file(folder: &Path) -> Result<std::path::PathBuf, String> {
    let mut at = folder.to_path_buf();
    while at.is_dir() {
        let mut below = fs::read_dir(&at).map_err(|error| format!("{}: {error}", at.display()))?;
        let (Some(Ok(entry)), None) = (below.next(), below.next()) else {
            return Err(format!("{} should hold one thing", at.display()));
        };
        at = entry.path();
    }
    Ok(at)
}
