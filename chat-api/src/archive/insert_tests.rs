use super::*;

/// What a server does with documents of which some spoil the insert they are in, and some are
/// refused by themselves.
async fn stored(length: usize, spoiling: &[usize], refused: &[usize]) -> (Answers, usize) {
    let mut inserts = 0;
    let stored = divide(length, |part| {
        inserts += 1;
        let answer = if part.clone().any(|index| spoiling.contains(&index)) {
            Inserted::None("spoilt".to_owned())
        } else {
            let refused: Vec<_> = (part.clone())
                .filter(|index| refused.contains(index))
                .map(|index| RefusedDocument {
                    index: index - part.start,
                    reason: "bad".to_owned(),
                })
                .collect();
            let held = part.clone().filter(|index| index % 5 == 4).map(|index| index - part.start);
            let held =
                held.filter(|index| !refused.iter().any(|one| one.index == *index)).collect();
            Inserted::Each(Answers { held, refused })
        };
        std::future::ready(Ok(answer))
    });
    (stored.await.unwrap(), inserts)
}

fn sorted(mut held: Vec<usize>) -> Vec<usize> {
    held.sort_unstable();
    held
}

#[tokio::test]
async fn exactly_the_documents_that_cannot_be_taken_are_blamed() {
    for length in 0..8_usize {
        // Every way of sorting the documents into good, spoiling and refused ones.
        for case in 0..3_usize.pow(u32::try_from(length).unwrap()) {
            let kind = |index: usize| case / 3_usize.pow(u32::try_from(index).unwrap()) % 3;
            let of = |wanted| (0..length).filter(|index| kind(*index) == wanted).collect();
            let (spoiling, refused): (Vec<usize>, Vec<usize>) = (of(1), of(2));
            let (stored, _) = stored(length, &spoiling, &refused).await;
            let taken = |index: &usize| index % 5 == 4 && kind(*index) == 0;
            assert_eq!(sorted(stored.held), (0..length).filter(taken).collect::<Vec<_>>());
            let mut blamed: Vec<_> =
                stored.refused.iter().map(|r| (r.index, r.reason.as_str())).collect();
            blamed.sort_unstable();
            let mut expected: Vec<_> = spoiling.iter().map(|index| (*index, "spoilt")).collect();
            expected.extend(refused.iter().map(|index| (*index, "bad")));
            expected.sort_unstable();
            assert_eq!(blamed, expected, "{length} documents, case {case}");
        }
    }
}

#[tokio::test]
async fn one_in_a_thousand_is_found_by_halving() {
    let (stored, inserts) = stored(1_000, &[617], &[]).await;
    assert_eq!(stored.refused[0].index, 617);
    // Ten halvings, each with one good half.
    assert!(inserts <= 21, "{inserts} inserts");
}

#[tokio::test]
async fn an_outage_in_the_middle_is_an_outage() {
    let outage = divide(2, |part| {
        let answer = match part.len() {
            2 => Ok(Inserted::None("spoilt".to_owned())),
            _ => Err(ArchiveError::Timeout),
        };
        std::future::ready(answer)
    });
    assert!(matches!(outage.await, Err(ArchiveError::Timeout)));
}
