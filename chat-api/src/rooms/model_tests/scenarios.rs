//! What there is at first, and what may be wanted. Each is small, so that every log of it is walked.

use crate::message::{Position, RoomId, RoomName, Settings, Standing, UserId, Visibility};
use crate::rooms::{Command, Phase, Role, Room, RoomKind, RoomState, direct};

/// Who wants what. Nobody is the system.
pub(super) struct Wish {
    pub(super) by: Option<usize>,
    pub(super) command: Command,
}

pub(super) struct Scenario {
    pub(super) id: RoomId,
    pub(super) people: Vec<UserId>,
    pub(super) start: RoomState,
    pub(super) wishes: Vec<Wish>,
    /// Records of a log that count; void ones may stand between them.
    pub(super) depth: usize,
}

fn people() -> Vec<UserId> {
    ["ada", "bob", "cid", "dan"].map(|name| UserId::parse(name).unwrap()).to_vec()
}

fn person(number: usize) -> UserId {
    people().swap_remove(number)
}

const ADA: usize = 0;
const BOB: usize = 1;
const CID: usize = 2;
const DAN: usize = 3;

/// A room that was made at the first position.
fn room(kind: RoomKind, standings: &[(usize, Standing)]) -> RoomState {
    let name = RoomName::parse("Attic").ok();
    let room = Room { kind, name, phase: Phase::Open };
    let mut state = RoomState::restored(Position::FIRST, Some(room));
    for (number, standing) in standings {
        state.set(&person(*number), *standing, Position::FIRST);
    }
    state
}

fn wish(by: usize, command: Command) -> Wish {
    Wish { by: Some(by), command }
}

fn role(number: usize, role: Role, successor: Option<usize>) -> Command {
    Command::SetRole { person: person(number), role, successor: successor.map(person) }
}

fn leave(successor: Option<usize>) -> Command {
    Command::Leave { successor: successor.map(person) }
}

fn set(visibility: Option<Visibility>, archived: Option<bool>) -> Command {
    Command::Change(Settings { visibility, archived, name: None })
}

/// Two owners, a member, and somebody who may come: who comes and goes.
fn coming_and_going() -> Scenario {
    let wishes = vec![
        wish(ADA, leave(None)),
        wish(BOB, leave(None)),
        wish(CID, leave(None)),
        wish(CID, Command::Join),
        wish(DAN, Command::Join),
        wish(DAN, leave(None)),
        wish(CID, Command::Invite(person(DAN))),
        wish(ADA, Command::Remove(person(BOB))),
        wish(BOB, Command::Remove(person(ADA))),
        wish(ADA, Command::Remove(person(CID))),
        wish(ADA, Command::Ban(person(CID))),
        wish(ADA, set(Some(Visibility::Group), None)),
    ];
    let standings = [(ADA, Standing::Owner), (BOB, Standing::Owner), (CID, Standing::Member)];
    let (id, start) = (RoomId::parse("attic").unwrap(), room(RoomKind::Public, &standings));
    Scenario { id, people: people(), start, wishes, depth: 4 }
}

/// One owner and two members: who follows, who is appointed, who is kept out.
fn ruling() -> Scenario {
    let wishes = vec![
        wish(ADA, leave(None)),
        wish(ADA, leave(Some(BOB))),
        wish(ADA, role(ADA, Role::Member, Some(CID))),
        wish(ADA, role(BOB, Role::Owner, None)),
        wish(BOB, role(ADA, Role::Member, None)),
        wish(BOB, leave(None)),
        wish(ADA, Command::Ban(person(BOB))),
        wish(ADA, Command::Unban(person(BOB))),
        wish(CID, Command::Invite(person(BOB))),
        wish(CID, leave(None)),
        Wish { by: None, command: Command::Remove(person(ADA)) },
        wish(ADA, set(None, Some(true))),
        wish(ADA, set(None, Some(false))),
    ];
    let standings = [(ADA, Standing::Owner), (BOB, Standing::Member), (CID, Standing::Member)];
    let (id, start) = (RoomId::parse("attic").unwrap(), room(RoomKind::Group, &standings));
    Scenario { id, people: people(), start, wishes, depth: 4 }
}

/// A room is made, and deleted.
fn beginning_and_end() -> Scenario {
    let name = RoomName::parse("Attic").unwrap();
    let create = Command::Create { visibility: Visibility::Public, name };
    let wishes = vec![
        wish(ADA, create),
        wish(ADA, Command::Delete),
        wish(BOB, Command::Join),
        wish(BOB, leave(None)),
        wish(ADA, leave(None)),
        wish(ADA, role(BOB, Role::Owner, None)),
        wish(BOB, Command::Delete),
    ];
    let id = RoomId::parse("attic").unwrap();
    Scenario { id, people: people(), start: RoomState::default(), wishes, depth: 6 }
}

/// Two people alone.
fn pair() -> Scenario {
    let wishes = vec![
        wish(ADA, Command::CreateDirect(person(BOB))),
        wish(BOB, Command::CreateDirect(person(ADA))),
        wish(ADA, Command::Ban(person(BOB))),
        wish(ADA, Command::Unban(person(BOB))),
        wish(BOB, Command::Ban(person(ADA))),
        wish(BOB, Command::Unban(person(ADA))),
        Wish { by: None, command: Command::Remove(person(BOB)) },
    ];
    let id = direct::room_of(&person(ADA), &person(BOB)).unwrap();
    let people = people().into_iter().take(2).collect();
    Scenario { id, people, start: RoomState::default(), wishes, depth: 6 }
}

pub(super) fn all() -> Vec<Scenario> {
    // What is small comes first: most mistakes are found there.
    vec![beginning_and_end(), pair(), ruling(), coming_and_going()]
}
