"""Unpacking: everything inside the folder, or nothing at all."""

import io
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reprise.data import DataError, extract
from reprise.data.archives import confined

names = st.one_of(
    st.text(max_size=20),
    st.lists(st.sampled_from(["..", ".", "", "a", "b ", "~", "C:", "\\", "/", "\0", "é"]), max_size=6).map("/".join),
)
HOSTILE = [
    "../outside",
    "/outside",
    "a/../../outside",
    "a\\..\\..\\outside",
    "C:outside",
    "C:/outside",
    "\\\\host\\outside",
]


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def tar_member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def everything_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@settings(deadline=None)
@given(name=names)
def test_a_confined_name_stays_in_its_folder(name: str) -> None:
    try:
        path = confined(name)
    except DataError as error:
        assert repr(name) in str(error)  # noqa: PT017 - the point is that nothing else escapes
        return
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert path.parts
    root = PurePosixPath("/some/folder")
    assert root in (root / path).parents
    assert not set(str(path)) & set("\\:\0")


@settings(deadline=None)
@given(parts=st.lists(st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._ -]{0,8}", fullmatch=True), min_size=1, max_size=5))
def test_an_ordinary_name_is_confined_to_itself(parts: list[str]) -> None:
    name = "/".join(parts)
    assert str(confined(name)) == name


@settings(deadline=None)
@given(name=names)
def test_no_zip_member_gets_out_whatever_its_name(tmp_path_factory, name: str) -> None:
    assume(name and "\0" not in name)
    root = tmp_path_factory.mktemp("zip")
    try:
        name.encode("utf-8")
        make_zip(root / "a.zip", {name: b"x"})
    except (UnicodeEncodeError, ValueError):
        assume(False)
    try:
        extract(root / "a.zip", root / "inner" / "out")
    except DataError:
        assert not (root / "inner" / "out").exists()
    allowed = {root / "a.zip", root / "inner", root / "inner" / "out"}
    assert all(path in allowed or root / "inner" / "out" in path.parents for path in root.rglob("*"))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_archive_is_unpacked_whatever_its_compression(tmp_path: Path, mode: str) -> None:
    members = [
        (tar_member("./", tarfile.DIRTYPE), b""),
        (tar_member("./data/train/a.json"), b"[1]"),
        (tar_member("data/b.txt"), b""),
    ]
    files = extract(make_tar(tmp_path / "a.tar", members, mode), tmp_path / "out")
    assert files == [tmp_path / "out/data/b.txt", tmp_path / "out/data/train/a.json"]
    assert files[1].read_bytes() == b"[1]"
    assert everything_below(tmp_path) == [
        "a.tar",
        "out",
        "out/data",
        "out/data/b.txt",
        "out/data/train",
        "out/data/train/a.json",
    ]


def test_a_zip_archive_is_unpacked(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"empty/": b"", "data/a.txt": b"one", "b.txt": b"two"})
    (tmp_path / "out").mkdir()
    files = extract(archive, tmp_path / "out")
    assert {file.name: file.read_bytes() for file in files} == {"a.txt": b"one", "b.txt": b"two"}
    assert (tmp_path / "out/empty").is_dir()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_zip_that_climbs_out_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    archive = make_zip(tmp_path / "a.zip", {"fine.txt": b"x", name: b"x"})
    with pytest.raises(DataError, match="could leave its folder"):
        extract(archive, tmp_path / "one/two/out")
    assert everything_below(tmp_path) == ["a.zip", "one", "one/two"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_tar_that_climbs_out_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    archive = make_tar(tmp_path / "a.tar", [(tar_member("fine.txt"), b"x"), (tar_member(name), b"x")])
    with pytest.raises(DataError, match="could leave its folder"):
        extract(archive, tmp_path / "one/two/out")
    assert everything_below(tmp_path) == ["a.tar", "one", "one/two"]


@pytest.mark.parametrize(
    "member",
    [
        tar_member("link", tarfile.SYMTYPE, "/etc"),
        tar_member("link", tarfile.SYMTYPE, "../.."),
        tar_member("link", tarfile.SYMTYPE, "fine.txt"),
        tar_member("link", tarfile.LNKTYPE, "../../outside"),
        tar_member("pipe", tarfile.FIFOTYPE),
        tar_member("device", tarfile.CHRTYPE),
    ],
    ids=lambda member: f"{member.type!r} to {member.linkname}",
)
def test_links_and_devices_of_a_tar_are_refused(tmp_path: Path, member: tarfile.TarInfo) -> None:
    members = [(tar_member("fine.txt"), b"x"), (member, b""), (tar_member(f"{member.name}/file"), b"x")]
    with pytest.raises(DataError, match="link or device"):
        extract(make_tar(tmp_path / "a.tar", members), tmp_path / "out")
    assert everything_below(tmp_path) == ["a.tar"]


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc")
    with pytest.raises(DataError, match="link or device 'link'"):
        extract(tmp_path / "a.zip", tmp_path / "out")


def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"a": b"x" * 60, "b": b"x" * 60})
    with pytest.raises(DataError, match="would unpack to 120 bytes; the limit is 100"):
        extract(archive, tmp_path / "out", limit_bytes=100)
    assert len(extract(archive, tmp_path / "out", limit_bytes=120)) == 2


def test_a_zip_that_lies_about_its_size_writes_no_more_than_it_says(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"x" * 100_000)
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(struct.pack("<I", 100_000), struct.pack("<I", 10)))
    with pytest.raises(DataError):
        extract(tmp_path / "a.zip", tmp_path / "out", limit_bytes=1000)
    assert everything_below(tmp_path) == ["a.zip"]


def test_the_same_member_twice_is_refused(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "a.tar", [(tar_member("a"), b"1"), (tar_member("./a"), b"2")])
    with pytest.raises(DataError, match="the same member twice"):
        extract(archive, tmp_path / "out")


def test_a_file_below_a_file_is_refused(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "a.tar", [(tar_member("a"), b"1"), (tar_member("a/b"), b"2")])
    with pytest.raises(DataError, match="cannot unpack"):
        extract(archive, tmp_path / "out")
    assert everything_below(tmp_path) == ["a.tar"]


def test_a_folder_that_is_in_use_is_not_touched(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"a": b"new"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a").write_bytes(b"old")
    for target in (tmp_path / "out", tmp_path / "out/a"):
        with pytest.raises(DataError, match="exists already"):
            extract(archive, target)
    assert (tmp_path / "out/a").read_bytes() == b"old"


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    whole = make_zip(tmp_path / "a.zip", {"a": b"x" * 1000}).read_bytes()
    packed = make_tar(tmp_path / "a.tar.gz", [(tar_member("a"), os.urandom(10_000))], "w:gz").read_bytes()
    for content in (b"", b"text", whole[:-10], packed[: len(packed) // 2]):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(DataError, match="bad"):
            extract(tmp_path / "bad", tmp_path / "out")
    with pytest.raises(DataError, match="absent"):
        extract(tmp_path / "absent", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.real_data
def test_the_archive_of_the_exchange_rates_is_unpacked(real, tmp_path: Path) -> None:
    (archive,) = real("exchange-rate/*.tar.gz")
    files = extract(archive, tmp_path / "out")
    assert [file.name for file in files] == ["metadata.json", "test.json", "train.json"]
    assert sum(1 for _ in files[1].open()) == 40
