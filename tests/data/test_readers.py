"""Readers: they read what the data sets hold, and call nothing."""

import collections
import io
import os
import pickle
import pickletools
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.data import ARRAY_NAMES, GRAPH_NAMES, DataError, load_npz, load_object_npz, load_pickle


class Exploit:
    """Unpickled without care, it would create a file."""

    def __init__(self, mark: Path, function: object = os.mkdir) -> None:
        self.mark = mark
        self.function = function

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return self.function, (str(self.mark),)


def write(path: Path, content: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def object_npz(path: Path, **arrays: object) -> Path:
    wrapped = {}
    for name, value in arrays.items():
        wrapped[name] = np.empty((), dtype=object)
        wrapped[name][()] = value
    np.savez(path, **wrapped)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_every_protocol_are_read(tmp_path: Path, protocol: int) -> None:
    content = {
        "float": np.arange(6.0).reshape(2, 3),
        "nested": [np.array([1, 2], dtype=">i4"), (np.array(["a", "bc"]),)],
        "plain": {"text": "é", "number": 1.5, "nothing": None},
    }
    path = write(tmp_path / "a.pkl", content, protocol)
    # The oldest protocols spell bytes by a codec call, which is not among the names for arrays.
    allowed = ARRAY_NAMES | {("_codecs", "encode")} if protocol < 3 else ARRAY_NAMES
    loaded = load_pickle(path, allowed)
    np.testing.assert_equal(loaded, content)


def test_names_of_numpy_1_are_found_where_they_are_today(tmp_path: Path) -> None:
    content = pickle.dumps(np.arange(3), protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core.multiarray" in content
    (tmp_path / "old.pkl").write_bytes(content)
    allowed = {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
    }
    np.testing.assert_array_equal(load_pickle(tmp_path / "old.pkl", allowed), np.arange(3))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("names", [ARRAY_NAMES, GRAPH_NAMES], ids=["array names", "graph names"])
def test_a_malicious_pickle_is_refused_and_its_function_not_called(tmp_path: Path, protocol: int, names) -> None:
    mark = tmp_path / "was called"
    path = write(tmp_path / "evil.pkl", [np.arange(2), Exploit(mark)], protocol)
    with pytest.raises(DataError):
        load_pickle(path, names)
    assert not mark.exists()


def test_the_refusal_names_the_file_and_what_it_asks_for(tmp_path: Path) -> None:
    path = write(tmp_path / "evil.pkl", Exploit(tmp_path / "x", os.system))
    with pytest.raises(DataError, match=r"evil\.pkl asks for posix\.system, .* it was not loaded"):
        load_pickle(path)


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"cnumpy.testing._private.utils\nrunstring\n(S'1'\nN}tR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",  # a dotted name through an allowed one
        b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93.",
        b"ccollections\nnamedtuple\n.",
        b"\x80\x02\x82\x01.",  # extension registry
        b"Pidentifier\n.",  # persistent identifier
    ],
)
def test_no_other_way_to_a_name_is_open(tmp_path: Path, program: bytes) -> None:
    (tmp_path / "evil.pkl").write_bytes(program)
    with pytest.raises(DataError, match=r"evil\.pkl"):
        load_pickle(tmp_path / "evil.pkl", GRAPH_NAMES)


@settings(deadline=None)
@given(content=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_a_data_error(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pkl"
    path.write_bytes(content)
    try:
        load_pickle(path)
    except DataError as error:
        assert "any.pkl" in str(error)  # noqa: PT017 - the point is that nothing else escapes


def test_a_missing_file_is_a_data_error(tmp_path: Path) -> None:
    for read in (load_pickle, load_npz, load_object_npz):
        with pytest.raises(DataError, match=r"absent.*No such file"):
            read(tmp_path / "absent")


def test_sparse_matrices_and_neighbour_lists_are_read(tmp_path: Path) -> None:
    matrix = scipy.sparse.csr_matrix(np.eye(3))
    neighbours = collections.defaultdict(list, {0: [1], 1: [0]})
    loaded_matrix, loaded_neighbours = load_pickle(write(tmp_path / "g.pkl", (matrix, neighbours)), GRAPH_NAMES)
    assert (loaded_matrix != matrix).nnz == 0
    assert loaded_neighbours == neighbours
    assert loaded_neighbours[7] == []


def test_plain_arrays_are_read_from_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", a=np.arange(3), b=np.array(["x", "yz"]), c=np.float32(2))
    loaded = load_npz(tmp_path / "plain.npz")
    assert sorted(loaded) == ["a", "b", "c"]
    np.testing.assert_array_equal(loaded["a"], [0, 1, 2])
    assert loaded["c"] == np.float32(2)


def test_objects_in_npz_are_refused_by_the_plain_reader(tmp_path: Path) -> None:
    mark = tmp_path / "was called"
    path = object_npz(tmp_path / "evil.npz", a=Exploit(mark))
    with pytest.raises(DataError, match=r"evil\.npz.*Object arrays"):
        load_npz(path)
    assert not mark.exists()


def test_objects_in_npz_are_read_by_the_restricted_reader(tmp_path: Path) -> None:
    matrix = scipy.sparse.csr_matrix(np.eye(3))
    several = np.empty(2, dtype=object)
    several[:] = [{"x": 1}, [2]]
    zero = np.empty((), dtype=object)
    zero[()] = matrix
    np.savez(tmp_path / "graph.npz", matrix=zero, several=several, labels=np.arange(3))
    loaded = load_object_npz(tmp_path / "graph.npz")
    assert (loaded["matrix"] != matrix).nnz == 0
    assert list(loaded["several"]) == [{"x": 1}, [2]]
    np.testing.assert_array_equal(loaded["labels"], [0, 1, 2])


def test_a_malicious_object_in_npz_is_refused_and_its_function_not_called(tmp_path: Path) -> None:
    mark = tmp_path / "was called"
    path = object_npz(tmp_path / "evil.npz", fine=1, evil=Exploit(mark))
    with pytest.raises(DataError, match=r"evil\.npy of .*evil\.npz asks for posix\.mkdir"):
        load_object_npz(path)
    assert not mark.exists()


@pytest.mark.parametrize("read", [load_npz, load_object_npz])
def test_what_is_no_archive_of_arrays_is_refused(tmp_path: Path, read) -> None:
    mark = tmp_path / "was called"
    write(tmp_path / "pickle.npz", Exploit(mark))
    with pytest.raises(DataError, match=r"pickle\.npz"):
        read(tmp_path / "pickle.npz")
    assert not mark.exists()
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("readme.txt", "no array")
    with pytest.raises(DataError, match=r"member 'readme\.txt' is not an array"):
        read(tmp_path / "text.npz")


@pytest.mark.parametrize("read", [load_npz, load_object_npz])
def test_a_truncated_or_altered_archive_is_refused(tmp_path: Path, read) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.arange(1000))
    whole = stream.getvalue()
    altered = bytearray(whole)
    altered[len(whole) // 2] ^= 0xFF
    for content in (whole[:-30], whole[:100], bytes(altered)):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.npz"):
            read(tmp_path / "bad.npz")


@pytest.mark.real_data
def test_every_pickle_of_grda_is_read_with_array_names_only(real) -> None:
    files = {file.name: load_pickle(file) for file in real("grda/*.pkl")}
    points = files["toy_d15_spiral_tight_boundary.pkl"]
    assert {name: points[name].shape for name in ("data", "label", "domain", "A", "angle")} == {
        "data": (1500, 2), "label": (1500,), "domain": (1500,), "A": (15, 15), "angle": (15,)
    }  # fmt: skip
    assert points["A"].sum() == 2 * 56
    assert files["toy_d60_spiral.pkl"]["data"].shape == (6000, 2)
    assert files["toy_d60_spiral.pkl"]["A"].sum() == 2 * 545
    assert {np.shape(files["g_encode_15.pkl"][str(number)]) for number in range(15)} == {(2,)}
    assert len(files["g_encode_60.pkl"]) == 60
    temperatures = files["month_temp_data.pkl"]
    assert len(temperatures) == 48
    assert {np.shape(series) for series in temperatures.values()} == {(144,)}
    assert np.mean([np.mean(series) for series in temperatures.values()]) == pytest.approx(52.90, abs=0.005)


@pytest.mark.real_data
def test_the_other_files_of_grda_are_text(real) -> None:
    for file in real("grda/tpt48/*"):
        if file.suffix != ".pkl":
            assert file.read_text(encoding="utf-8-sig")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "nodes", "features", "classes"), [("cora", 2708, 1433, 7), ("citeseer", 3327, 3703, 6)]
)
def test_every_file_of_planetoid_is_read(real, name: str, nodes: int, features: int, classes: int) -> None:
    files = {file.name.removeprefix(f"ind.{name}."): file for file in real(f"planetoid/ind.{name}.*")}
    loaded = {part: load_pickle(file, GRAPH_NAMES) for part, file in files.items() if part != "test.index"}
    assert len(files) == 8
    assert len(loaded["graph"]) == nodes
    for part in ("x", "tx", "allx"):
        assert scipy.sparse.issparse(loaded[part])
        assert loaded[part].shape[1] == features
    for part in ("y", "ty", "ally"):
        assert loaded[part].shape == (loaded[part.replace("y", "x")].shape[0], classes)
    assert len(files["test.index"].read_text().split()) == loaded["tx"].shape[0]


@pytest.mark.real_data
def test_every_file_of_the_heterophilous_graphs_is_plain(real) -> None:
    sizes = {file.stem: len(load_npz(file)["node_features"]) for file in real("heterophilous/*")}
    assert sizes == {
        "actor": 7600, "chameleon": 2277, "chameleon_filtered": 890, "cornell": 183, "squirrel": 5201,
        "squirrel_filtered": 2223, "texas": 183, "wisconsin": 251,
    }  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "nodes", "features"), [("dblp", 17716, 1639), ("coauthor_cs", 18333, 6805), ("amazon_photo", 7650, 745)]
)
def test_every_file_of_graphdata_is_read(real, name: str, nodes: int, features: int) -> None:
    (file,) = real(f"graphdata/{name}.npz")
    loaded = load_object_npz(file)
    assert loaded["adj_matrix"].shape == (nodes, nodes)
    assert loaded["node_attr"].shape == (nodes, features)
    assert loaded["node_label"].shape == (nodes,)
    loaded["adj_matrix"].check_format(full_check=True)
    loaded["node_attr"].check_format(full_check=True)


@pytest.mark.real_data
def test_the_pickles_of_the_registry_ask_for_no_name_beyond_the_allowed(real) -> None:
    old = {
        "numpy.core.multiarray": "numpy._core.multiarray",
        "__builtin__": "builtins",
        "scipy.sparse.csr": "scipy.sparse._csr",
    }
    for file in real("planetoid/ind.*"):
        if not file.name.endswith("test.index"):
            asked = [
                text.split(" ") for code, text, _ in pickletools.genops(file.read_bytes()) if code.name == "GLOBAL"
            ]
            assert {(old.get(module, module), name) for module, name in asked} <= GRAPH_NAMES
