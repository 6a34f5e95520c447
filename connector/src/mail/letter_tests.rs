use super::*;

#[test]
fn a_page_shows_the_words_and_takes_none_of_them_for_markup() {
    let letter = Letter {
        language: Language::De,
        subject: "<script> & \"Co\"".to_owned(),
        paragraphs: vec!["a < b".to_owned(), "it's".to_owned()],
    };
    assert_eq!(letter.text(), "a < b\n\nit's\n");
    let html = letter.html();
    assert!(html.contains("<html lang=\"de\">"), "{html}");
    assert!(html.contains("<title>&lt;script&gt; &amp; &quot;Co&quot;</title>"), "{html}");
    assert!(html.contains("<p>a &lt; b</p>\n<p>it&#39;s</p>"), "{html}");
}
