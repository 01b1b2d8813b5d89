//! What is JSON, as serde_json tells it.

/// Any JSON value, strings and keys decoded as serde_json decodes them, numbers of any size.
struct Oracle;

/// Whether these bytes are one JSON text.
pub fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<Oracle>(text).is_ok()
}

impl<'de> serde::Deserialize<'de> for Oracle {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Oracle, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(from)?;
        strings_of(raw.get()).map_err(serde::de::Error::custom)
    }
}

/// Decodes every string in a text that is JSON but for the meaning of its escapes.
fn strings_of(text: &str) -> Result<Oracle, String> {
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        let mut strings = serde_json::Deserializer::from_str(&rest[at..]).into_iter::<String>();
        strings
            .next()
            .expect("a string begins here")
            .map_err(|error| error.to_string())?;
        rest = &rest[at + strings.byte_offset()..];
    }
    Ok(Oracle)
}
