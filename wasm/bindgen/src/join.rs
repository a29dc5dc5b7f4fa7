//! One file of JavaScript out of several: a file that is looked for and read costs half a millisecond.

use base64::Engine as _;

/// A source as it goes into a file with others: without imports, exports and comments. The comments
/// are in the declarations, where editors look for them.
pub(crate) fn bare(source: &str) -> Result<String, String> {
    let mut out = String::new();
    for line in lines(source) {
        if line.starts_with("import ") {
            if !line.ends_with(';') {
                return Err(format!("an import goes over several lines: {line}"));
            }
            continue;
        }
        out += line.strip_prefix("export ").unwrap_or(line);
        out.push('\n');
    }
    Ok(out)
}

/// The lines of a source that are no comments.
fn lines(source: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    source.lines().map(str::trim_start).filter(move |line| {
        let starts = line.starts_with("/**");
        let comment = inside || starts;
        inside = comment && !line.ends_with("*/");
        !comment && !line.is_empty() && !line.starts_with("//")
    })
}

/// The bindings' class `Document` under the name by which `document.js` wears it over.
pub(crate) fn below_document(bindings: &str) -> Result<String, String> {
    let start = "class Document {";
    if !bindings.contains(start) {
        return Err("the bindings have no class `Document`".to_owned());
    }
    Ok(bindings.replace(start, "class Bound {").replace("Document.prototype", "Bound.prototype"))
}

/// What `start.js` knows as the bindings: the functions that the module imports, and the one that
/// takes an instance.
pub(crate) fn namespace(bindings: &str) -> String {
    let functions = bindings.lines().filter_map(|line| {
        line.strip_prefix("function ").filter(|rest| rest.starts_with("__wb"))?.split('(').next()
    });
    format!("const bindings = {{ {} }};\n", functions.collect::<Vec<_>>().join(", "))
}

/// The file with everything that stands over the module.
pub(crate) fn module(parts: &[String], names: &[&str]) -> String {
    format!(
        "{}export {{ {}, imports, isStarted, start, use }};\n",
        parts.concat(),
        names.join(", ")
    )
}

/// An entry: what it takes from other sources comes from `module.js`, or stands before it.
pub(crate) fn entry(source: &str, names: &[&str]) -> Result<String, String> {
    let all = "export * from './api.js';";
    if lines(source).filter(|line| *line == all).count() != 1 {
        return Err(format!("an entry should say `{all}`"));
    }
    let mut out = String::new();
    for line in lines(source) {
        if line == all {
            out += &format!("export {{ {} }} from './module.js';", names.join(", "));
        } else if line.starts_with("import ")
            && ["'./inflate.js';", "'./inline.js';"].iter().any(|from| line.ends_with(from))
        {
            continue;
        } else {
            out += &line.replace("from './start.js';", "from './module.js';");
        }
        out.push('\n');
    }
    Ok(out)
}

/// What `index.js` knows as `inline.js`.
pub(crate) fn inline(module: &[u8], deflated: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(deflated);
    format!("const size = {};\nconst inline = '{text}';\n", module.len())
}
