use super::*;
use crate::message::{Position, RoomName, Visibility};

fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn at(offset: i64) -> Position {
    Position::from_raw(offset).unwrap()
}

fn room_id() -> RoomId {
    RoomId::parse("attic").unwrap()
}

/// A room with Ada and Bob for owners, Cid for a member, and Eve banned. Dan was there; Fay never was.
fn room(kind: RoomKind, phase: Phase) -> RoomState {
    let name = RoomName::parse("Attic").ok();
    let mut state = RoomState::restored(at(3), Some(Room { kind, name, phase }));
    state.set(&person("ada"), Standing::Owner, at(1));
    state.set(&person("bob"), Standing::Owner, at(3));
    state.set(&person("cid"), Standing::Member, at(4));
    state.set(&person("dan"), Standing::Left, at(5));
    state.set(&person("eve"), Standing::Banned, at(6));
    state
}

fn group() -> RoomState {
    room(RoomKind::Group, Phase::Open)
}

fn public() -> RoomState {
    room(RoomKind::Public, Phase::Open)
}

/// Ada's own room, with Cid for a member.
fn of_one_owner() -> RoomState {
    let mut state = group();
    state.set(&person("bob"), Standing::Left, at(7));
    state
}

fn pair() -> (RoomId, RoomState) {
    let room = Room { kind: RoomKind::Direct, name: None, phase: Phase::Open };
    let mut state = RoomState::restored(at(1), Some(room));
    state.set(&person("ada"), Standing::Member, at(1));
    state.set(&person("bob"), Standing::Member, at(1));
    (direct::room_of(&person("ada"), &person("bob")).unwrap(), state)
}

fn ask(state: &RoomState, name: &str, command: &Command) -> Result<Proposal, Refused> {
    judge(state, &room_id(), command, Actor::Person(&person(name)))
}

/// What an accepted command does to memberships: act, whether it archives, whether it moves the room.
fn act(proposal: Result<Proposal, Refused>) -> Result<(MemberAct, bool, bool), Refused> {
    match proposal?.change {
        Proposed::Member(change) => Ok((change.act, change.archives, change.moves_room)),
        Proposed::Room(change) => panic!("{change:?}"),
    }
}

fn renamed(name: &str) -> Command {
    Command::Change(Settings { name: RoomName::parse(name).ok(), ..Settings::default() })
}

fn archived(archived: bool) -> Command {
    Command::Change(Settings { archived: Some(archived), ..Settings::default() })
}

fn set_role(name: &str, role: Role) -> Command {
    Command::SetRole { person: person(name), role, successor: None }
}

const LEAVE: Command = Command::Leave { successor: None };

#[test]
fn what_a_proposal_was_judged_on_is_where_room_actor_and_other_last_changed() {
    let proposal = ask(&group(), "cid", &Command::Invite(person("dan"))).unwrap();
    let expected = On { room: at(3), actor: Some(at(4)), subject: Some(at(5)) };
    assert_eq!(proposal.on, expected);
    let proposal = ask(&group(), "cid", &Command::Invite(person("fay"))).unwrap();
    assert_eq!(proposal.on.subject, Some(Position::BEFORE_ALL), "never there");
    let proposal = ask(&group(), "ada", &renamed("Loft")).unwrap();
    assert_eq!(proposal.on, On { room: at(3), actor: Some(at(1)), subject: None });
    let follows = Command::Leave { successor: Some(person("cid")) };
    let proposal = ask(&group(), "ada", &follows).unwrap();
    assert_eq!(proposal.on.subject, Some(at(4)), "who follows");
    let remove = Command::Remove(person("ada"));
    let proposal = judge(&group(), &room_id(), &remove, Actor::System).unwrap();
    assert_eq!(proposal.on, On { room: at(3), actor: None, subject: Some(at(1)) });
}

#[test]
fn a_room_is_made_once_and_a_deleted_one_never_again() {
    let (visibility, name) = (Visibility::Group, RoomName::parse("Attic").unwrap());
    let create = Command::Create { visibility, name };
    let proposal = ask(&RoomState::default(), "fay", &create).unwrap();
    let none = Position::BEFORE_ALL;
    assert_eq!(proposal.on, On { room: none, actor: Some(none), subject: None });
    assert_eq!(ask(&group(), "ada", &create), Err(Refused::Already));
    let deleted = room(RoomKind::Group, Phase::Deleted);
    for command in [&create, &Command::Join, &LEAVE, &archived(false), &Command::Delete] {
        assert_eq!(ask(&deleted, "ada", command), Err(Refused::NoRoom), "{command:?}");
    }
    let lobby = RoomId::lobby();
    let fay = person("fay");
    let made = judge(&RoomState::default(), &lobby, &create, Actor::Person(&fay));
    assert_eq!(made, Err(Refused::Already), "the lobby is always there");
    let system = judge(&RoomState::default(), &room_id(), &create, Actor::System);
    assert_eq!(system, Err(Refused::NotAllowed));
}

#[test]
fn a_direct_room_is_made_by_one_of_its_pair_under_the_id_of_the_pair() {
    let (id, state) = pair();
    let made = |state: &RoomState, id: &RoomId, by: &str, with: &str| {
        judge(state, id, &Command::CreateDirect(person(with)), Actor::Person(&person(by)))
    };
    let none = RoomState::default();
    for (by, with) in [("ada", "bob"), ("bob", "ada")] {
        let proposal = made(&none, &id, by, with).unwrap();
        assert_eq!(proposal.change.subject(), Some(&person(with)));
        assert_eq!(made(&state, &id, by, with), Err(Refused::Already));
    }
    for (id, by, with) in
        [(&id, "ada", "cid"), (&id, "cid", "bob"), (&id, "ada", "ada"), (&room_id(), "ada", "bob")]
    {
        assert_eq!(made(&none, id, by, with), Err(Refused::WrongPair), "{by} {with}");
    }
}

#[test]
fn to_whoever_may_not_know_of_a_room_there_is_none() {
    let commands = [
        Command::Join,
        LEAVE,
        Command::Invite(person("fay")),
        Command::Remove(person("cid")),
        Command::Ban(person("cid")),
        Command::Unban(person("eve")),
        set_role("cid", Role::Owner),
        renamed("Loft"),
        Command::Delete,
    ];
    let (id, direct) = pair();
    for command in &commands {
        for name in ["dan", "eve", "fay"] {
            assert_eq!(ask(&group(), name, command), Err(Refused::NoRoom), "{name} {command:?}");
            let refused = ask(&public(), name, command);
            assert_ne!(refused, Err(Refused::NoRoom), "{name} {command:?}");
        }
        let stranger = judge(&direct, &id, command, Actor::Person(&person("cid")));
        assert_eq!(stranger, Err(Refused::NoRoom), "{command:?}");
    }
}

#[test]
fn whoever_is_not_banned_joins_a_public_room_and_members_invite() {
    for name in ["dan", "fay"] {
        assert_eq!(act(ask(&public(), name, &Command::Join)), Ok((MemberAct::Join, false, false)));
        let invited = act(ask(&group(), "cid", &Command::Invite(person(name))));
        assert_eq!(invited, Ok((MemberAct::Invite, false, false)));
    }
    assert_eq!(ask(&public(), "eve", &Command::Join), Err(Refused::NotAllowed));
    assert_eq!(ask(&public(), "cid", &Command::Join), Err(Refused::Already));
    assert_eq!(ask(&group(), "ada", &Command::Invite(person("eve"))), Err(Refused::Banned));
    assert_eq!(ask(&group(), "ada", &Command::Invite(person("cid"))), Err(Refused::Already));
    let by_stranger = ask(&public(), "fay", &Command::Invite(person("dan")));
    assert_eq!(by_stranger, Err(Refused::NotAllowed));
}

#[test]
fn a_full_room_takes_nobody_in() {
    let mut state = public();
    for number in state.members()..MEMBERS_MAX {
        state.set(&person(&number.to_string()), Standing::Member, at(9));
    }
    assert_eq!(ask(&state, "fay", &Command::Join), Err(Refused::Full));
    assert_eq!(ask(&state, "ada", &Command::Invite(person("fay"))), Err(Refused::Full));
    state.set(&person("cid"), Standing::Left, at(10));
    assert!(ask(&state, "fay", &Command::Join).is_ok());
}

#[test]
fn only_owners_decide_about_the_room_and_about_others() {
    let commands = [
        Command::Remove(person("cid")),
        Command::Ban(person("dan")),
        Command::Unban(person("eve")),
        set_role("cid", Role::Owner),
        set_role("bob", Role::Member),
        renamed("Loft"),
        archived(true),
        Command::Delete,
    ];
    for command in &commands {
        let mut state = public();
        assert!(ask(&state, "ada", command).is_ok(), "{command:?}");
        for name in ["cid", "dan", "eve", "fay"] {
            state.set(&person("cid"), Standing::Member, at(4));
            assert_eq!(ask(&state, name, command), Err(Refused::NotAllowed), "{name} {command:?}");
        }
        let by_system = judge(&state, &room_id(), command, Actor::System);
        let may = matches!(command, Command::Remove(_));
        assert_eq!(by_system.is_ok(), may, "{command:?}");
    }
}

#[test]
fn what_changes_owners_moves_the_room_and_what_does_not_leaves_it() {
    let state = group();
    let cases = [
        (Command::Remove(person("bob")), (MemberAct::Remove, false, true)),
        (Command::Remove(person("cid")), (MemberAct::Remove, false, false)),
        (Command::Ban(person("bob")), (MemberAct::Ban, false, true)),
        (Command::Ban(person("cid")), (MemberAct::Ban, false, false)),
        (Command::Ban(person("fay")), (MemberAct::Ban, false, false)),
        (Command::Unban(person("eve")), (MemberAct::Unban, false, false)),
        (set_role("cid", Role::Owner), (MemberAct::Promote, false, true)),
        (set_role("bob", Role::Member), (MemberAct::Demote, false, true)),
        (set_role("ada", Role::Member), (MemberAct::Demote, false, true)),
        (LEAVE, (MemberAct::Leave, false, true)),
    ];
    for (command, expected) in cases {
        assert_eq!(act(ask(&state, "ada", &command)), Ok(expected), "{command:?}");
    }
    assert_eq!(act(ask(&state, "cid", &LEAVE)), Ok((MemberAct::Leave, false, false)));
}

#[test]
fn what_is_so_already_is_not_done_again() {
    let cases = [
        ("ada", Command::Remove(person("dan"))),
        ("ada", Command::Ban(person("eve"))),
        ("ada", Command::Unban(person("cid"))),
        ("ada", set_role("cid", Role::Member)),
        ("ada", set_role("bob", Role::Owner)),
        ("ada", set_role("ada", Role::Owner)),
        ("cid", set_role("cid", Role::Member)),
        ("ada", renamed("Attic")),
        ("ada", archived(false)),
        ("ada", Command::Change(Settings::default())),
        ("fay", LEAVE),
        ("eve", LEAVE),
    ];
    for (name, command) in cases {
        assert_eq!(ask(&public(), name, &command), Err(Refused::Already), "{name} {command:?}");
    }
}

#[test]
fn of_what_is_set_only_what_is_new_is_written() {
    let settings = Settings {
        name: RoomName::parse("Attic").ok(),
        visibility: Some(Visibility::Public),
        archived: Some(false),
    };
    let proposal = ask(&group(), "ada", &Command::Change(settings)).unwrap();
    let new = Settings { visibility: Some(Visibility::Public), ..Settings::default() };
    assert_eq!(proposal.change, Proposed::Room(RoomChange::Set(new)));
}

#[test]
fn a_last_owner_names_who_follows_or_the_room_is_archived() {
    let state = of_one_owner();
    let step_down =
        |successor| Command::SetRole { person: person("ada"), role: Role::Member, successor };
    let leave = |successor| Command::Leave { successor };
    for (way, done) in
        [(&step_down as &dyn Fn(_) -> Command, MemberAct::Demote), (&leave, MemberAct::Leave)]
    {
        assert_eq!(act(ask(&state, "ada", &way(None))), Ok((done, true, true)));
        let follows = ask(&state, "ada", &way(Some(person("cid")))).unwrap();
        assert_eq!(follows.change.other(), Some(&person("cid")));
        assert_eq!(act(Ok(follows)), Ok((done, false, true)));
        for nobody in ["ada", "bob", "eve", "fay"] {
            let follows = way(Some(person(nobody)));
            assert_eq!(ask(&state, "ada", &follows), Err(Refused::Successor), "{nobody}");
        }
    }
    let by_member = Command::Leave { successor: Some(person("ada")) };
    assert_eq!(ask(&state, "cid", &by_member), Err(Refused::Successor));
    let erased = judge(&state, &room_id(), &Command::Remove(person("ada")), Actor::System);
    assert_eq!(act(erased), Ok((MemberAct::Remove, true, true)));
    let erased = judge(&state, &room_id(), &Command::Remove(person("cid")), Actor::System);
    assert_eq!(act(erased), Ok((MemberAct::Remove, false, false)));
}

#[test]
fn an_archived_room_is_left_opened_and_deleted_and_that_is_all() {
    let mut state = room(RoomKind::Public, Phase::Archived);
    for (name, command) in [
        ("fay", Command::Join),
        ("cid", Command::Invite(person("fay"))),
        ("ada", Command::Remove(person("cid"))),
        ("ada", Command::Ban(person("cid"))),
        ("ada", Command::Unban(person("eve"))),
        ("ada", set_role("cid", Role::Owner)),
        ("ada", set_role("ada", Role::Member)),
        ("ada", renamed("Loft")),
    ] {
        assert_eq!(ask(&state, name, &command), Err(Refused::Archived), "{name} {command:?}");
    }
    assert!(ask(&state, "ada", &archived(false)).is_ok());
    assert!(ask(&state, "ada", &Command::Delete).is_ok());
    let opened = Settings { archived: Some(false), ..Settings::default() };
    let renamed = Settings { name: RoomName::parse("Loft").ok(), ..opened };
    assert!(ask(&state, "ada", &Command::Change(renamed)).is_ok(), "opened by the same record");
    assert_eq!(act(ask(&state, "cid", &LEAVE)), Ok((MemberAct::Leave, false, false)));
    state.set(&person("bob"), Standing::Left, at(9));
    assert_eq!(
        act(ask(&state, "ada", &LEAVE)),
        Ok((MemberAct::Leave, false, true)),
        "archived before"
    );
    let erased = judge(&state, &room_id(), &Command::Remove(person("ada")), Actor::System);
    assert_eq!(act(erased), Ok((MemberAct::Remove, false, true)));
}

#[test]
fn nobody_removes_or_bans_or_appoints_themselves() {
    for command in [Command::Remove(person("ada")), Command::Ban(person("ada"))] {
        assert_eq!(ask(&group(), "ada", &command), Err(Refused::Oneself));
    }
    assert_eq!(ask(&group(), "cid", &set_role("cid", Role::Owner)), Err(Refused::NotAllowed));
    let out = ask(&group(), "ada", &set_role("dan", Role::Owner));
    assert_eq!(out, Err(Refused::NotInRoom));
}

#[test]
fn in_a_direct_room_one_may_block_the_other_and_nothing_else() {
    let (id, mut state) = pair();
    let ask = |state: &RoomState, name: &str, command: &Command| {
        judge(state, &id, command, Actor::Person(&person(name)))
    };
    let other = [
        Command::Join,
        LEAVE,
        Command::Invite(person("cid")),
        Command::Remove(person("bob")),
        set_role("bob", Role::Owner),
        renamed("Us"),
        archived(true),
        Command::Delete,
    ];
    for command in &other {
        assert_eq!(ask(&state, "ada", command), Err(Refused::Direct), "{command:?}");
    }
    let (block, unblock) = (Command::Ban(person("bob")), Command::Unban(person("bob")));
    assert_eq!(act(ask(&state, "ada", &block)), Ok((MemberAct::Block, false, false)));
    assert_eq!(ask(&state, "ada", &unblock), Err(Refused::Already));
    assert_eq!(ask(&state, "bob", &block), Err(Refused::Oneself));
    assert_eq!(ask(&state, "ada", &Command::Ban(person("cid"))), Err(Refused::NotInRoom));
    state.set(&person("bob"), Standing::Blocked, at(2));
    assert!(state.is_blocked());
    assert_eq!(ask(&state, "ada", &block), Err(Refused::Already));
    assert_eq!(ask(&state, "bob", &unblock), Err(Refused::Oneself), "nobody frees themselves");
    assert_eq!(act(ask(&state, "ada", &unblock)), Ok((MemberAct::Unblock, false, false)));
    let back = ask(&state, "bob", &Command::Ban(person("ada")));
    assert_eq!(act(back), Ok((MemberAct::Block, false, false)));
    let erased = judge(&state, &id, &Command::Remove(person("bob")), Actor::System);
    assert_eq!(act(erased), Ok((MemberAct::Remove, true, true)), "nobody is left to speak with");
}
