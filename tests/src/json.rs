//! Small edits of JSON values.

use serde_json::{Map, Value};

/// Sets the value at a pointer; objects on the way are made.
pub fn set(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for token in pointer.split('/').skip(1) {
        if let (Value::Array(items), Ok(index)) = (&mut *place, token.parse::<usize>()) {
            while items.len() <= index {
                items.push(Value::Null);
            }
        }
        place = match place {
            Value::Array(items) => {
                match token.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                    Some(item) => item,
                    None => return,
                }
            }
            other => {
                if !other.is_object() {
                    *other = Value::Object(Map::new());
                }
                match other {
                    Value::Object(members) => members.entry(token).or_insert(Value::Null),
                    _ => return,
                }
            }
        };
    }
    *place = value;
}

/// Takes the member at a pointer away.
pub fn remove(root: &mut Value, pointer: &str) {
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(members)) = root.pointer_mut(parent)
    {
        members.remove(name);
    }
}
