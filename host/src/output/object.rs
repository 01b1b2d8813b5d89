//! An object of an answer: its members in their order, each as the text it came as.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object. Of equal names the last counts.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads JSON text; `None` when it is no object.
    pub fn read(text: &'a str) -> Option<Object<'a>> {
        serde_json::from_str(text).ok()
    }

    /// All members in their order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.get()))
    }

    /// The JSON of a member; `None` when it is absent or null.
    pub fn json(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().rfind(|(known, _)| known == name)?;
        Some(value.get()).filter(|json| *json != "null")
    }

    /// A member as a person reads it: strings without quotes, the rest as JSON, nothing where there is none.
    pub fn text(&self, name: &str) -> String {
        self.json(name).map(text_of).unwrap_or_default()
    }

    /// A count; 0 where there is none.
    pub fn count(&self, name: &str) -> u64 {
        self.json(name)
            .and_then(|json| json.parse().ok())
            .unwrap_or_default()
    }

    /// Whether a member is `true`.
    pub fn is(&self, name: &str) -> bool {
        self.json(name) == Some("true")
    }

    /// A member that is an object itself; an empty one otherwise.
    pub fn object(&self, name: &str) -> Object<'a> {
        self.json(name).and_then(Object::read).unwrap_or_default()
    }

    /// The elements of a list; none where there is no list.
    pub fn list(&self, name: &str) -> Vec<&'a str> {
        let elements: Option<Vec<&'a RawValue>> = self
            .json(name)
            .and_then(|json| serde_json::from_str(json).ok());
        let elements = elements.unwrap_or_default();
        elements.into_iter().map(RawValue::get).collect()
    }

    /// The objects of a list.
    pub fn objects(&self, name: &str) -> Vec<Object<'a>> {
        let elements = self.list(name).into_iter();
        elements.filter_map(Object::read).collect()
    }
}

/// A JSON value as a person reads it.
pub fn text_of(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<'a>, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_text() {
        let object = Object::read(r#"{"b": 1.50, "a": "x\ny", "c": null, "n": 7, "t": true}"#);
        let object = object.unwrap();
        let names: Vec<&str> = object.members().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a", "c", "n", "t"]);
        assert_eq!(object.text("b"), "1.50");
        assert_eq!(object.text("a"), "x\ny");
        assert_eq!(object.text("c") + &object.text("nothing"), "");
        assert_eq!((object.count("n"), object.count("a")), (7, 0));
        assert!(object.is("t") && !object.is("n"));
    }

    #[test]
    fn what_lies_deeper_is_read_when_asked_for() {
        let object = Object::read(r#"{"o": {"l": ["a", 2, {"k": "v"}]}}"#).unwrap();
        let inner = object.object("o");
        assert_eq!(inner.list("l").len(), 3);
        assert_eq!(inner.objects("l")[0].text("k"), "v");
        assert!(object.objects("nothing").is_empty());
        assert!(Object::read("[]").is_none());
    }
}
