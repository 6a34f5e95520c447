use super::*;

#[test]
fn a_cost_is_10_to_12() {
    for text in ["9", "13", "", "ten", "-10", "4294967306"] {
        assert_eq!(Cost::parse(text), Err(InvalidCost), "{text}");
    }
    for cost in 10..=12 {
        assert_eq!(Cost::parse(&cost.to_string()).map(u32::from), Ok(cost));
    }
}

#[test]
fn each_step_doubles_the_work() {
    let times = [10, 11, 12].map(|cost| Cost::new(cost).unwrap().times_the_cheapest());
    assert_eq!(times, [1, 2, 4]);
}
