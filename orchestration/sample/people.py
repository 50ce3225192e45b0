"""Employees over the period: careers month by month, their assignments and their leave."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from orchestration.sample.catalogue import Store
from orchestration.sample.model import MODEL
from orchestration.sample.spec import SampleSpec, month_after

DEPARTMENT_OF = {
    "sales_associate": "sales",
    "store_manager": "sales",
    "service_agent": "service",
    "delivery_crew": "logistics",
    "online_advisor": "online",
    "marketing_specialist": "marketing",
}
# Roles outside the stores: share of the headcount, and whether the person belongs to the hub store of the region.
BACK_OFFICE = (
    ("service_agent", 0.11, True),
    ("delivery_crew", 0.145, True),
    ("online_advisor", 0.075, False),
    ("marketing_specialist", 0.045, False),
)
MONTHLY_SALARY = {
    "sales_associate": 5200,
    "store_manager": 13500,
    "service_agent": 5600,
    "delivery_crew": 6100,
    "online_advisor": 5900,
    "marketing_specialist": 8800,
}
LEAVER_RATE = 0.013
TRANSFER_RATE = 0.02
ROLE_CHANGE_RATE = 0.003
FTE_CHANGE_RATE = 0.008
# Type, chance per month, shortest and longest leave in days.
LEAVE_TYPES = (("parental", 0.003, 60, 120), ("unpaid", 0.005, 5, 20), ("sick", 0.06, 1, 5), ("annual", 0.13, 3, 9))
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
GIVEN_NAMES = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"


@dataclass
class Stretch:
    """One assignment: half-open from ``start`` to ``end`` (None: until further notice)."""

    start: date
    role: str
    store: Store | None
    region: int
    fte: float
    end: date | None = None


@dataclass
class Person:
    """One employee: quality effect on satisfaction (latent), selling weight, and career."""

    number: int
    name: str
    hired_on: date
    grade: int
    effect: float
    skill: int
    salary: int
    career: list[Stretch] = field(default_factory=list)
    terminated_on: date | None = None

    @property
    def employee_id(self) -> str:
        """Key of the employee in the extracts."""
        return f"E{self.number:05d}"

    @property
    def now(self) -> Stretch:
        """The latest assignment."""
        return self.career[-1]

    def end(self, day: date) -> None:
        """Leave the company on ``day``, the first day after the last."""
        self.now.end = day
        self.terminated_on = day

    def move(self, day: date, *, role: str | None = None, store: Store | None = None, fte: float | None = None) -> None:
        """Start a new assignment on ``day``; what is not given stays, except that a new role leaves the store."""
        old = self.now
        old.end = day
        new_store = store or (None if role else old.store)
        region = new_store.region_number if new_store else old.region
        self.career.append(Stretch(day, role or old.role, new_store, region, fte or old.fte))


@dataclass(frozen=True)
class Move:
    """A planted change inside a month: a transfer between stores, or a change of role (then ``to_store`` is None)."""

    employee_id: str
    on: date
    from_store: str | None
    to_store: str | None
    reason: str


@dataclass(frozen=True)
class Leave:
    """Half-open leave of one employee."""

    leave_id: str
    employee_number: int
    start: date
    end: date
    kind: str


@dataclass(frozen=True)
class Staff:
    """Everybody who worked in the period, and what was planted."""

    people: list[Person]
    moves: list[Move]
    leaves: list[Leave]
    self_filler: Person


class _Careers:
    """Walks all careers through the months, always in the same order so that one seed gives one history."""

    def __init__(self, spec: SampleSpec, stores: list[Store]) -> None:
        self.spec = spec
        self.stores = stores
        self.rng = random.Random(f"{spec.seed}/people")
        self.people: list[Person] = []
        self.moves: list[Move] = []

    def hire(self, day: date, role: str, store: Store | None, region: int) -> Person:
        """A new person; on the first day of the period it is somebody who has been there for years."""
        rng = self.rng
        hired_on = day
        if day == self.spec.first_day:
            hired_on = day - timedelta(days=rng.randrange(60, 2200))
            if store is not None:
                hired_on = max(hired_on, store.opened_on)
        grade = rng.choice((1, 1, 2, 2, 3, 4))
        fte = 1.0 if role == "store_manager" else rng.choices((1.0, 0.8, 0.5), (82, 10, 8))[0]
        salary = round(MONTHLY_SALARY[role] * (0.88 + 0.12 * grade) * rng.uniform(0.95, 1.05) / 10) * 10
        person = Person(
            number=len(self.people) + 1,
            name=rng.choice(SURNAMES) + rng.choice(GIVEN_NAMES) + rng.choice(("", *GIVEN_NAMES[:8])),
            hired_on=hired_on,
            grade=grade,
            effect=round(rng.gauss(0, MODEL.employee_sd), 4),
            skill=rng.choice((8, 9, 10, 10, 11, 12)),
            salary=salary,
        )
        person.career.append(Stretch(hired_on, role, store, region, fte))
        self.people.append(person)
        return person

    def open_day(self) -> None:
        """Fill every position of the first day."""
        spec, first = self.spec, self.spec.first_day
        trading = [store for store in self.stores if store.is_open(first)]
        for store in trading:
            self.hire(first, "store_manager", store, store.region_number)
        for role, share, at_hub in BACK_OFFICE:
            for position in range(max(4, round(share * spec.employee_count))):
                region = position % 4
                attached = at_hub and (role == "delivery_crew" or position // 4 % 2 == 0)
                self.hire(first, role, self.stores[region] if attached else None, region)
        seats = [store for store in trading for _ in range(store.weight)]
        for position in range(max(len(trading) * 2, spec.employee_count - len(self.people))):
            store = trading[position] if position < len(trading) else self.rng.choice(seats)
            self.hire(first, "sales_associate", store, store.region_number)

    def open_store(self, store: Store) -> None:
        """The opened store starts with a full team of new people."""
        self.hire(store.opened_on, "store_manager", store, store.region_number)
        for _ in range(3 * store.weight):
            self.hire(store.opened_on, "sales_associate", store, store.region_number)

    def close_store(self, store: Store) -> None:
        """The closing store's manager leaves, its associates go to other stores."""
        day = store.closed_on
        assert day is not None
        for person in self.people:
            if person.terminated_on or person.now.store is not store:
                continue
            if person.now.role == "sales_associate":
                self.transfer(person, day, "store_closed")
            else:
                person.end(day)

    def transfer(self, person: Person, day: date, reason: str) -> None:
        """Move an associate to another store that trades, usually in the same region."""
        old = person.now.store
        assert old is not None
        trading = [store for store in self.stores if store is not old and store.is_open(day)]
        near = [store for store in trading if store.region == old.region and store.closed_on is None]
        store = self.rng.choice(near if near and self.rng.random() < 0.7 else trading)
        person.move(day, store=store)
        self.moves.append(Move(person.employee_id, day, old.store_id, store.store_id, reason))

    def month(self, start: date, end: date) -> None:
        """One month of leavers, transfers, role changes, changed hours and replacements."""
        rng = self.rng
        closing = next((s for s in self.stores if s.closed_on and start <= s.closed_on < end), None)
        for person in list(self.people):
            if person.terminated_on or person.now.start >= start or person.now.role == "store_manager":
                continue
            if closing is not None and person.now.store is closing:
                continue
            draw = rng.random()
            day = start + timedelta(days=rng.randrange(3, 25))
            is_associate = person.now.role == "sales_associate"
            if draw < LEAVER_RATE:
                person.end(day)
                seat, back = person.now, day + timedelta(days=rng.randrange(3, 20))
                if seat.store is None or seat.store.is_open(back):
                    self.hire(back, seat.role, seat.store, seat.region)
            elif is_associate and draw < LEAVER_RATE + TRANSFER_RATE:
                self.transfer(person, day, "transfer")
            elif is_associate and draw < LEAVER_RATE + TRANSFER_RATE + ROLE_CHANGE_RATE:
                old = person.now.store
                person.move(day, role="online_advisor")
                self.moves.append(Move(person.employee_id, day, old.store_id if old else None, None, "role_change"))
            elif draw > 1 - FTE_CHANGE_RATE:
                person.move(start, fte=0.8 if person.now.fte == 1 else 1.0)
        if closing is not None:
            self.close_store(closing)


def _leaves(spec: SampleSpec, people: list[Person]) -> list[Leave]:
    """Leave inside employment and period; one person's leaves never overlap."""
    rng = random.Random(f"{spec.seed}/leave")
    drawn: list[tuple[date, int, date, str]] = []
    for person in people:
        free_from = max(person.hired_on + timedelta(days=30), spec.first_day)
        for start in spec.month_starts:
            draw = rng.random()
            day = start + timedelta(days=rng.randrange(28))
            for kind, rate, shortest, longest in LEAVE_TYPES:
                length = rng.randrange(shortest, longest + 1)
                if draw >= rate:
                    draw -= rate
                    continue
                until = day + timedelta(days=length)
                if (
                    day >= free_from
                    and day < spec.end
                    and (person.terminated_on is None or until <= person.terminated_on)
                ):
                    drawn.append((day, person.number, until, kind))
                    free_from = until
                break
    return [
        Leave(f"LV{position:06d}", number, start, end, kind)
        for position, (start, number, end, kind) in enumerate(sorted(drawn), start=1)
    ]


def _self_filler(people: list[Person]) -> Person:
    """An associate who stays in one store full-time all the time; the busiest of those, the lowest number first."""
    steady = [
        person
        for person in people
        if person.now.role == "sales_associate" and len(person.career) == 1 and person.terminated_on is None
    ]
    full_time = [person for person in steady if person.now.fte == 1] or steady
    return min(full_time, key=lambda person: (person.hired_on.year >= 2025, -person.skill, person.number))


def make_staff(spec: SampleSpec, stores: list[Store]) -> Staff:
    """All careers of the period; the same spec gives the same people, moves and leaves."""
    careers = _Careers(spec, stores)
    careers.open_day()
    for start in spec.month_starts:
        end = month_after(start)
        for store in stores:
            if start < store.opened_on < end:
                careers.open_store(store)
        careers.month(start, end)
    people = [person for person in careers.people if person.hired_on <= spec.last_day]
    moves = [move for move in careers.moves if move.on <= spec.last_day]
    return Staff(people, moves, _leaves(spec, people), _self_filler(people))


def assignment_rows(
    staff: Staff,
) -> Iterator[tuple[int, date, str, str, int | None, int, int | None, float, date | None]]:
    """Assignments: employee number, from, department, role, store number, region number, manager number, fte, to."""
    store_managers = {
        person.now.store.number: person.number
        for person in staff.people
        if person.now.role == "store_manager" and person.now.store
    }
    heads: dict[str, int] = {}
    for person in staff.people:
        heads.setdefault(person.career[0].role, person.number)
    for person in staff.people:
        for stretch in person.career:
            if stretch.role == "sales_associate" and stretch.store:
                manager: int | None = store_managers[stretch.store.number]
            else:
                manager = None if stretch.role == "store_manager" else heads[stretch.role]
            yield (
                person.number,
                stretch.start,
                DEPARTMENT_OF[stretch.role],
                stretch.role,
                stretch.store.number if stretch.store else None,
                stretch.region,
                None if manager == person.number else manager,
                stretch.fte,
                stretch.end,
            )
