"""Names: found, listed, misspelt, doubled, and taken from a file."""

import importlib
import sys
from collections.abc import Iterator
from dataclasses import make_dataclass
from pathlib import Path

import pytest

from testbed.core.errors import Interrupted, MachineBusy, PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.own.file import OwnFile
from testbed.core.registry import Registry
from testbed.core.text.nearest import nearest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    home = tmp_path / "zoo_for_tests"
    home.mkdir()
    (home / "__init__.py").write_text(
        "from testbed.core.registry import Registry\n"
        "registry = Registry('animal', __name__)\nregister = registry.register\n"
    )
    (home / "cat.py").write_text("from . import register\n@register('cat')\nclass Cat: ...\n")
    (home / "ant.py").write_text("from . import register\n@register('ant')\nclass Ant: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "zoo_for_tests"
    for name in [name for name in sys.modules if name.startswith("zoo_for_tests")]:
        del sys.modules[name]


def animals(package: str) -> Registry[object]:
    registry: Registry[object] = importlib.import_module(package).registry
    return registry


def test_every_module_of_the_package_registers_itself(package: str) -> None:
    assert list(animals(package).items()) == ["ant", "cat"]
    assert animals(package).get("cat").__name__ == "Cat"


def test_what_is_asked_for_is_loaded_and_nothing_else(package: str) -> None:
    assert animals(package).get("cat").__name__ == "Cat"
    assert "zoo_for_tests.cat" in sys.modules
    assert "zoo_for_tests.ant" not in sys.modules


def test_an_entry_that_is_not_called_as_its_module_is_found_all_the_same(package: str, tmp_path: Path) -> None:
    (tmp_path / "zoo_for_tests" / "fish.py").write_text(
        "from . import register\n@register('flying-fish')\nclass Flying: ...\n"
    )
    assert animals(package).get("flying-fish").__name__ == "Flying"


def test_an_entry_may_have_a_folder_of_its_own(package: str, tmp_path: Path) -> None:
    room = tmp_path / "zoo_for_tests" / "honey_bee"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "animal.py").write_text("from .. import register\n@register('honey-bee')\nclass Bee: ...\n")
    assert animals(package).get("honey-bee").__name__ == "Bee"
    assert "zoo_for_tests.cat" not in sys.modules
    assert list(animals(package).items()) == ["ant", "cat", "honey-bee"]


def test_a_misspelt_name_gets_the_nearest_right_one(package: str) -> None:
    with pytest.raises(ScenarioError, match="no animal is called 'kat'; did you mean 'cat'"):
        animals(package).get("kat")


def test_a_name_like_no_other_gets_them_all(package: str) -> None:
    with pytest.raises(ScenarioError, match="there are: ant, cat"):
        animals(package).get("hippopotamus")


HOUSES = """
from dataclasses import dataclass
from . import register

@register('house')
@dataclass(frozen=True, kw_only=True)
class House:
    rooms_above: int = 1
    def __post_init__(self):
        if self.rooms_above < 0:
            raise ValueError("rooms cannot be below 0")
"""


@pytest.fixture
def houses(package: str, tmp_path: Path) -> Registry[object]:
    (tmp_path / package / "house.py").write_text(HOUSES)
    return animals(package)


def test_a_spec_is_built_and_so_is_a_name_alone(houses: Registry[object]) -> None:
    assert repr(houses.build({"name": "house", "rooms_above": 3})) == "House(rooms_above=3)"
    assert houses.build("house") == houses.build({"name": "house"}) == houses.build({"name": "house", "rooms-above": 1})


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"name": "hous"}, "no animal is called 'hous'; did you mean 'house'?"),
        ({}, "no animal is called ''; there are: ant, cat, house"),
        (
            {"name": "house", "rooms_abve": 1},
            "animal 'house' has no parameter 'rooms_abve'; did you mean 'rooms_above'?",
        ),
        ({"name": "house", "rooms_above": -1}, "animal 'house': rooms cannot be below 0"),
        ({"name": "house", "rooms_above": "many"}, "animal 'house': '<' not supported between"),
    ],
)
def test_a_spec_that_is_none_is_one_line(houses: Registry[object], spec: dict[str, object], said: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        houses.build(spec)
    assert str(raised.value).startswith(said) and "\n" not in str(raised.value)


def test_each_value_is_read_as_its_registry_does() -> None:
    registry = Registry[object]("thing", "testbed.core", read=lambda each, value: f"{each.name}={value}")
    registry.register("thing")(make_dataclass("Thing", [("size", str)]))
    assert repr(registry.build({"name": "thing", "size": 2})) == "Thing(size='size=2')"


def test_only_a_users_own_entry_may_break_in_any_way() -> None:
    def breaks(_thing: object) -> None:
        raise KeyError("no")

    broken = make_dataclass("Broken", [], namespace={"__post_init__": breaks})
    ours = Registry[object]("thing", "testbed.core")
    ours.register("broken")(broken)
    with pytest.raises(KeyError):
        ours.build("broken")
    theirs = Registry[object]("thing", "testbed.core", own=OwnFile("thing", ("decide",)))
    theirs.register("broken")(broken)
    place = r"(\S+\.py:\d+: )?"  # since Python 3.12 a class that is made like this knows its module, and so its file
    with pytest.raises(ScenarioError, match=rf"thing 'broken': {place}it cannot be made, KeyError: 'no'"):
        theirs.build("broken")


def test_two_of_one_name_are_our_bug(package: str) -> None:
    animals(package).items()
    with pytest.raises(ValueError, match="two animals are called 'cat'"):
        animals(package).register("cat")(int)


def test_a_path_is_no_name_unless_files_may_be_given(package: str) -> None:
    with pytest.raises(ScenarioError):
        animals(package).get("./mine.py")


def test_a_path_is_a_users_own_file_where_files_may_be_given(package: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("class Mine:\n    def purr(self): ...\n")
    own = OwnFile("animal", ("purr",), parameters=False, checked=lambda found: type(f"My{found.__name__}", (), {}))
    assert Registry[object]("animal", package, own=own).get(str(file)).__name__ == "MyMine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Mine:\n    def purr(self): ...", "(a class with methods 'purr' and 'eat'), found 0; Mine (near"),
        ("class A:\n    purr = eat = print\nclass B(A): ...", "found 2: A, B"),
        ("", "found 0"),
    ],
)
def test_a_file_without_what_is_wanted_says_what_there_is(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        OwnFile("animal", ("purr", "eat"), parameters=False).load(str(file))
    assert str(raised.value).startswith(f"{file}: expected one animal in it") and said in str(raised.value)


def test_nearest_with_no_words_at_all() -> None:
    assert nearest("x", []) == "there are: "


def test_errors_carry_their_exit_code_and_one_line() -> None:
    assert str(ScenarioError("no", where="a.yaml:3")) == "a.yaml:3: no"
    assert str(PrerequisiteMissing("no mnexec", "run apt install mininet")) == "no mnexec; run apt install mininet"
    codes = [e.exit_code for e in (TestbedError, ScenarioError, PrerequisiteMissing, MachineBusy, Interrupted)]
    assert codes == [1, 2, 3, 4, 130]
