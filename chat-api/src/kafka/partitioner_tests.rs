use super::*;

#[test]
fn the_hash_is_that_of_the_java_client() {
    // The cases of `UtilsTest.testMurmur2` in Apache Kafka.
    let cases = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ];
    for (text, expected) in cases {
        assert_eq!(murmur2(text.as_bytes()).cast_signed(), expected, "{text}");
    }
}

#[test]
fn every_room_has_a_partition_that_exists() {
    for count in [1, 6, 48] {
        let partitioner = Partitioner::new(count).unwrap();
        for room in 0..500 {
            let room = RoomId::parse(&format!("room-{room}")).unwrap();
            assert!(partitioner.of(&room).index() < count);
        }
        assert_eq!(partitioner.all().count(), count);
    }
    assert!(Partitioner::new(0).is_none());
}
