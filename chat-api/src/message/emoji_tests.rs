use super::*;

#[test]
fn one_picture_is_an_emoji_however_it_is_made() {
    for one in ["👍", "👍🏽", "❤", "❤️", "🇫🇷", "1️⃣", "#️⃣", "👨‍👩‍👧‍👦", "👩🏻‍❤️‍💋‍👩🏿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏳️‍🌈", "©️"]
    {
        assert_eq!(Emoji::parse(one).map(String::from).as_deref(), Ok(one));
    }
}

#[test]
fn what_is_no_picture_or_more_than_one_is_refused() {
    let long = "👍\u{200d}".repeat(20) + "👍";
    for other in [
        "",
        " ",
        "a",
        "1",
        "#",
        "1\u{fe0f}",
        "+1",
        ":+1:",
        "👍👍",
        "👍 ",
        " 👍",
        "👍a",
        "🇫",
        "🇫🇷🇫",
        "\u{200d}",
        "👍\u{200d}",
        "\u{fe0f}",
        "\u{20e3}",
        "👍\u{20e3}",
        "🏴\u{e0067}",
        "👍\0",
        "$",
        ".",
        "日",
        "<b>",
        &long,
    ] {
        assert!(Emoji::parse(other).is_err(), "{other:?}");
    }
}
