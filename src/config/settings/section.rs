//! [`section!`]: one definition per section gives its struct, its defaults and its lines in `--help`, so that the three
//! cannot drift apart.

/// `pub field as "key": Type = default`; `as` only where the key is not the camel case of the field.
macro_rules! section {
    ($($(#[doc = $about:literal])* pub struct $name:ident {
        $($(#[doc = $help:literal])* pub $field:ident $(as $key:literal)?: $type:ty = $default:expr,)*
    })+) => {$(
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[doc = $help])* $(#[serde(rename = $key)])? pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::settings::options::Described for $name {
            fn describe(&self, place: $crate::settings::options::Place<'_>, out: &mut Vec<$crate::settings::options::Line>) {
                let _ = (&place, &out);
                $(self.$field.describe(place.child(stringify!($field), &[$($key)?], &[$($help),*]), out);)*
            }
        }
    )+};
}

/// A list of texts.
macro_rules! texts {
    ($($text:literal),*) => { vec![$(String::from($text)),*] };
}

pub(crate) use {section, texts};
